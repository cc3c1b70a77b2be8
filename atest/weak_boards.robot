*** Settings ***
Documentation    As a tester I want each fault to find a board that is weak there, and no other board, so
...              that a red test is a bug of the board and a green one means something.
...
...              Each row has a fault, and a habit that real boards have had. The same steps are run with a good
...              board, which boots, and with a weak one, whose failure names the fault. Some weak boards end
...              with success and another file: the steps compare the octets.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         TftpBoard/board.resource

Suite Setup      Start Server
Test Timeout     1 minute


*** Variables ***
&{IMPATIENT}    retry_after=300ms    retries=0
&{STUBBORN}     retries=1000    patience=3s
&{WEAK}         impatient=${IMPATIENT}    stubborn=${STUBBORN}


*** Test Cases ***
A Fault Of A Packet Is Survived By Good Boards Only
    [Template]    Only The Good Board Boots Despite
    drop    DATA 3    impatient
    drop    request    impatient
    duplicate    DATA 3    counts_duplicates
    delay    DATA 3    impatient    delay=700ms
    reorder    DATA 3    impatient    delay=700ms
    runt    DATA 3    impatient
    wrong_block    DATA 3    counts_duplicates    number=-1
    wrong_tid    DATA 3    impatient
    stray    DATA 3    believes_strangers
    bad_opcode    DATA 3    impatient
    unterminated    OACK    impatient
    stall    DATA 3    impatient    duration=600ms

A Server Without Options Is Taken By Good Boards Only
    [Template]    Only The Good Board Boots Despite
    ignore_options    request    assumes_options

A Wrong Answer Is Refused By Good Boards Only
    [Template]    Only The Good Board Refuses
    wrong_oack    OACK    trusts_oack    options=blksize=9000
    short_block    DATA 3    keeps_short_file
    error    DATA 3    keeps_short_file

A Gone Server Is Noticed By Good Boards Only
    [Documentation]    The weak board asks for ever.
    [Template]    Only The Good Board Gives Up
    stall    DATA 3    stubborn
    vanish    DATA 3    stubborn

Numbers That Begin Again Are Taken By Good Boards Only
    [Tags]    slow
    Big File Is Loaded Despite A Repeated Block 65536
    Run Keyword And Expect Error    The board has not booted despite duplicate DATA 65536*
    ...    Big File Is Loaded Despite A Repeated Block 65536    no_rollover=True

No Board Sees A Flipped Bit
    [Documentation]    TFTP has no checksum. Only who compares the octets sees it.
    ${fault}    Inject TFTP Fault    corrupt    DATA 3    file=zImage
    Run Keyword And Expect Error    The board has not booted despite corrupt DATA 3*another 'zImage'*
    ...    Board Boots Despite Fault    ${fault}    zImage


*** Keywords ***
Start Server
    # Nothing is sent again for a second: a board has to wait, or to ask.
    Start TFTP Server    retransmission=fixed    timeout=1s    refuse_options=timeout
    Create Test File    zImage    10000

Only The Good Board Boots Despite
    [Arguments]    ${kind}    ${packet}    ${weakness}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    times=2    &{how}
    Board Boots Despite Fault    ${fault}    zImage
    Weak Board Should Be Found    ${kind}    ${packet}    ${weakness}    &{how}

Only The Good Board Refuses
    [Documentation]    The size of the file is asked, so that it can be compared.
    [Arguments]    ${kind}    ${packet}    ${weakness}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    times=unlimited    &{how}
    Switch Board On    zImage    tsize=0    retry_after=100ms
    Run Keyword And Expect Error    The board has not booted. Its console:*
    ...    Wait Until Board Has Booted
    TFTP Fault Should Have Happened    ${fault}
    Weak Board Should Be Found    ${kind}    ${packet}    ${weakness}    &{how}

Only The Good Board Gives Up
    [Arguments]    ${kind}    ${packet}    ${weakness}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    &{how}
    Switch Board On    zImage    retry_after=100ms    retries=3
    Run Keyword And Expect Error    *no answer after 3 retries*    Wait Until Board Has Booted
    TFTP Fault Should Have Happened    ${fault}
    Weak Board Should Be Found    ${kind}    ${packet}    ${weakness}    &{how}

Weak Board Should Be Found
    [Documentation]    The failure of its test has to name the fault.
    [Arguments]    ${kind}    ${packet}    ${weakness}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    times=unlimited    &{how}
    VAR    ${habits}    ${{ $WEAK.get($weakness, {$weakness: 'True'}) }}
    Run Keyword And Expect Error    The board has not booted despite ${kind} ${packet} of 'zImage'*
    ...    Board Boots Despite Fault    ${fault}    zImage    &{habits}

Big File Is Loaded Despite A Repeated Block 65536
    [Arguments]    &{how}
    ${fault}    Inject TFTP Fault    duplicate    DATA 65536    file=big*
    Create Test File    big.bin    524300
    Board Boots Despite Fault    ${fault}    big.bin    blksize=8    windowsize=64    retry_after=100ms
    ...    &{how}

Board Boots Despite Fault
    [Documentation]    The step that a suite would have: the board boots, and the octets are compared.
    [Arguments]    ${fault}    ${name}    ${patience}=30s    &{how}
    TRY
        Switch Board On    ${name}    &{how}
        Wait Until Board Has Booted    timeout=${patience}
        Board Should Hold File    ${name}
    EXCEPT    AS    ${why}
        ${known}    TFTP Fault Should Have Happened    ${fault}
        Fail    The board has not booted despite ${known.text}: ${why}
    END
    TFTP Fault Should Have Happened    ${fault}
