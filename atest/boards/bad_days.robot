*** Settings ***
Documentation    As a tester I want a board that loses its power or its packets to be seen as such,
...              and to do no harm to the next boot, so that one bad moment does not cost the night.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=30s
Resource         boards.resource

Test Setup       Require Board    arm


*** Test Cases ***
A Power Cut In Mid-Transfer Is Seen And Forgotten
    [Documentation]    The server does not know U-Boot's `timeout` here, so that it gives up sooner.
    Start TFTP Server    timeout=0.2s    retries=3    refuse_options=timeout
    Create Test File    zImage    16 MiB
    Switch On Board    arm
    Cut Power In Mid Transfer    tftpboot ${LOAD} zImage    blocks=1000
    Wait Until Transfers Are Idle    0.1s
    ${transfers}    Get Transfers    zImage    outcome=timed_out
    Should Be True    998 <= ${transfers[0].blocks} <= 1000
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until File Is Downloaded    zImage    0.1s
    Should Contain    ${failure}    then the board stopped answering
    Switch On Board    arm
    U-Boot Loads File    zImage    windowsize=16
    Memory Should Hold File    zImage
    Wait Until File Is Downloaded    zImage

A Poor Wire Costs Time And No Octet
    [Documentation]    One packet of a hundred gets lost and another one comes twice, always the
    ...    same ones. The record shows what was sent again. Where U-Boot's one report of a
    ...    gap gets lost it says nothing for five seconds, and the server has to wait for longer.
    Start TFTP Server    timeout=0.2s    retries=30    refuse_options=timeout
    Create Test File    image.bin    2 MiB
    Switch On Board    arm    loss=0.01    repeat=0.01    seed=1
    # U-Boot counts its time-outs over the whole file, and allows 10 of them.
    Run Command    setenv tftptimeoutcountmax 100
    U-Boot Loads File    image.bin    windowsize=4
    Memory Should Hold File    image.bin
    ${transfer}    Wait Until File Is Downloaded    image.bin
    Should Be True    ${transfer.retransmits} > 10
    Log    Sent again: ${transfer.retransmits} blocks, in ${transfer.duration} s.

A Packet That Comes Twice Does Not Come Twice For Ever
    [Documentation]    U-Boot acknowledges a block that comes again, in the middle of a window. A
    ...    server that believes each of these ACKs sends every window twice from then on.
    Start TFTP Server
    Create Test File    image.bin    2 MiB
    Switch On Board    arm    repeat=0.001    seed=1
    U-Boot Loads File    image.bin    windowsize=16
    Memory Should Hold File    image.bin
    Wait Until File Is Downloaded    image.bin
    Transfer Should Have Used    image.bin    windowsize=16    max_retransmits=100
