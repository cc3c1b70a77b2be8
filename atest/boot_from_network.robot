*** Settings ***
Documentation    As a tester I want my board to boot from a server that the suite itself starts,
...              and to wait until it has really downloaded its files, so that no test has to
...              guess a time and sleep.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         equipment/board.resource

Suite Setup      Start Server With Boot Files


*** Test Cases ***
A Board Downloads Its Kernel
    [Tags]    smoke
    ${report}    Board Reads File    zImage    tsize=0    blksize=1468    timeout=5
    Board Should Hold File    ${report}    zImage
    ${transfer}    Wait Until File Is Downloaded    zImage
    Should Be Equal    ${transfer.outcome}    completed
    Should Be Equal    ${transfer.client}    ${CLIENT}
    Should Be Equal As Integers    ${transfer.client_port}    ${report.local_port}
    Should Be Equal As Integers    ${transfer.size}    100000
    Should Be Equal As Integers    ${transfer.octets}    100000
    Should Be Equal As Integers    ${transfer.blocks}    ${report.blocks}
    Should Be Equal As Integers    ${transfer.retransmits}    0

A Board That Starts Later Is Waited For
    [Tags]    smoke
    Board Starts Reading File    zImage    pause_after=100
    Board Has Paused
    ${running}    Get Transfers    zImage
    Should Be True    ${running[0].is_running}
    Board Goes On
    ${transfer}    Wait Until File Is Downloaded    zImage    client=${CLIENT}
    Should Be Equal    ${transfer.id}    ${running[0].id}
    ${report}    Board Has Read File
    Board Should Hold File    ${report}    zImage

A Board Downloads All That It Needs
    [Tags]    smoke
    FOR    ${name}    IN    boot.scr    zImage    dtb/board.dtb
        ${report}    Board Reads File    ${name}
        Board Should Hold File    ${report}    ${name}
    END
    Wait Until File Is Downloaded    zImage
    Wait Until File Is Downloaded    dtb/*.dtb
    Get Transfer Count    *    ==    3    outcome=completed

Names Are Taken As Boards Send Them
    [Documentation]    Names of GRUB begin with a slash, Windows loaders use backslashes.
    [Tags]    smoke
    [Template]    Board Finds The Device Tree
    dtb/board.dtb
    /dtb/board.dtb
    //dtb//board.dtb
    ./dtb/./board.dtb
    dtb\\board.dtb
    \\dtb\\board.dtb

The Mode May Be Written In Any Case
    FOR    ${mode}    IN    octet    OCTET    Octet    netascii    NetASCII
        ${report}    Board Reads File    boot.scr    mode=${mode}
        Board Should Hold File    ${report}    boot.scr
    END

A Name That Is Not UTF-8 Is A Name Too
    VAR    ${name}    ${{ b'k\xe9rnel' }}
    Board Cannot Read File    ${name}    1    not found
    ${transfers}    Get Transfers    outcome=refused
    Should Be Equal    ${transfers[0].filename}    k\\xe9rnel

A Board That Searches Is Told At Once What Is Missing
    [Documentation]    PXELINUX asks for about ten names before it finds its configuration.
    [Tags]    smoke
    Upload Text    DEFAULT linux    pxelinux.cfg/default
    FOR    ${name}    IN
    ...    01-52-54-00-12-34-56    0A00020F    0A00020    0A0002    0A000    0A00    0A0    0A    0
        Board Cannot Read File    pxelinux.cfg/${name}    1    not found    tsize=0    blksize=1408
    END
    ${report}    Board Reads File    pxelinux.cfg/default    tsize=0    blksize=1408
    Should Be Equal    ${report.text}    DEFAULT linux
    Get Transfer Count    pxelinux.cfg/*    ==    9    outcome=refused
    Should Be True    ${report.duration} < 1

A UEFI Board Asks For The Size First
    [Documentation]    The size probe ends with ERROR 8 by design. It is neither a download nor a failure.
    [Tags]    smoke
    ${report}    UEFI Board Reads File    zImage
    Board Should Hold File    ${report}    zImage
    ${transfers}    Get Transfers    zImage
    Should Be Equal    ${transfers[0].outcome}    probed
    Wait Until File Is Downloaded    zImage
    Get Transfer Count    zImage    ==    1    outcome=completed
    Get Transfer Count    zImage    ==    0    outcome=failed

A Board That Repeats Its Request Gets One Transfer
    ${report}    Board Reads File    zImage    repeat_request=3    blksize=1468    tsize=0
    Board Should Hold File    ${report}    zImage
    Wait Until File Is Downloaded    zImage
    Get Transfer Count    zImage    ==    1

A Duplicated ACK Never Causes A Second DATA
    [Documentation]    RFC 1123, section 4.2.3.1: the Sorcerer's Apprentice.
    FOR    ${options}    IN    ${EMPTY}    blksize\=1468    tsize\=0 windowsize\=1
        ${report}    Board Reads File    zImage    duplicate_acks=True    linger=0.2
        ...    options=${options}
        Board Should Hold File    ${report}    zImage
        Should Be Equal As Integers    ${report.received}[DATA]    ${report.blocks}
    END

One Repeated ACK Does Not Double The Rest Of A Transfer
    [Documentation]    With windows a repeated ACK may also mean that a whole window got lost, so it may
    ...    cost one or two windows, but never more. The board acknowledges repeated blocks.
    [Template]    Board Repeats One ACK
    2
    4
    16

Lost Packets Are Sent Again
    [Documentation]    Blocks and ACKs get lost at the beginning, in the middle and at the end.
    [Setup]    Set TFTP Server Options    timeout=0.2s
    [Template]    Board Boots In Spite Of Losses
    windowsize=1    drop_blocks=1, 50, 196
    windowsize=2    drop_blocks=1, 50, 51, 196
    windowsize=16    drop_blocks=1, 2, 48, 49, 196
    windowsize=16    drop_blocks=33-48
    windowsize=1    withhold_acks=0, 1, 100
    windowsize=4    withhold_acks=0, 4, 100
    [Teardown]    Set TFTP Server Options    timeout=1s

A Gap Is Filled From The First Missing Block
    [Documentation]    U-Boot acknowledges in the middle of a window, and the server goes on there.
    ${report}    Board Reads File    zImage    windowsize=8    drop_blocks=3
    Board Should Hold File    ${report}    zImage
    Should Be Equal As Integers    ${report.discarded}    5
    Should Be Equal As Integers    ${report.duplicates}    0
    Should Be True    ${report.duration} < 0.5    The server waited for its timer.

A Stranger Disturbs Nothing
    [Documentation]    RFC 1350, section 4: a packet from a foreign TID gets ERROR 5.
    ${report}    Board Reads File    zImage    stranger_after=10    blksize=1468
    Board Should Hold File    ${report}    zImage
    Wait Until File Is Downloaded    zImage

A Board That Gives Up Is No Download
    Board Reads File    zImage    stop_after=50    stop_with=error    stop_code=3
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until File Is Downloaded    zImage    0.2s
    Should Contain    ${failure}    stopped by the board
    ${transfers}    Get Transfers    zImage    outcome=failed
    Should Be Equal As Integers    ${transfers[0].error_code}    3
    Should Be Equal As Integers    ${transfers[0].blocks}    49

A Board That Falls Silent Is Given Up
    [Documentation]    The server retries as often as it is set to, then it sends an ERROR and writes a record.
    Start TFTP Server    alias=strict    timeout=0.1s    retries=3    retransmission=fixed
    Create Test File    silent.bin    2 kB
    ${report}    Board Reads File    silent.bin    stop_after=2    stop_with=listen
    Should Be Equal As Integers    ${report.duplicates}    3
    Should Be Equal As Integers    ${report.error_code}    0
    ${transfers}    Get Transfers    silent.bin
    Should Be Equal    ${transfers[0].outcome}    timed_out
    Should Be Equal As Integers    ${transfers[0].retransmits}    3

A Board That Is Switched Off Does Not Stop The Others
    Board Reads File    zImage    stop_after=10    stop_with=vanish
    Board Reads File    zImage    stop_after=10    stop_with=silence
    Board Starts Reading File    zImage    stop_after=10    stop_with=silence    windowsize=16
    ${report}    Board Reads File    zImage
    Board Should Hold File    ${report}    zImage

A Wait Shows Which File Is Missing
    [Tags]    smoke
    Board Cannot Read File    zimage    1
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until File Is Downloaded    zimage    0.2s
    Should Contain    ${failure}    'zimage'
    Should Contain    ${failure}    not found
    Should Contain    ${failure}    127.0.0.1

Boards Get An Error When The Server Stops
    Start TFTP Server    alias=short
    Create Test File    image.bin    100000
    Board Starts Reading File    image.bin    pause_after=20
    Board Has Paused
    ${cut}    Stop TFTP Server    short
    Length Should Be    ${cut}    1
    Should Be Equal    ${cut[0].outcome}    aborted
    Board Goes On
    Run Keyword And Expect Error    ERROR 0 *    Board Has Read File


*** Keywords ***
Start Server With Boot Files
    Start TFTP Server    alias=boot
    Create Test File    zImage    100000
    Upload Text    echo booting\n    boot.scr
    Create Test File    dtb/board.dtb    512

Board Finds The Device Tree
    [Arguments]    ${name}
    ${report}    Board Reads File    ${name}
    Board Should Hold File    ${report}    dtb/board.dtb
    Wait Until File Is Downloaded    dtb/board.dtb

Board Boots In Spite Of Losses
    [Arguments]    &{losses}
    ${report}    Board Reads File    zImage    &{losses}
    Board Should Hold File    ${report}    zImage
    Wait Until File Is Downloaded    zImage

Board Repeats One ACK
    [Arguments]    ${windowsize}
    ${report}    Board Reads File    zImage    repeat_acks=48    accept_duplicates=True
    ...    windowsize=${windowsize}
    Board Should Hold File    ${report}    zImage
    Should Be True    ${report.received}[DATA] <= ${report.blocks} + 2 * ${windowsize}
