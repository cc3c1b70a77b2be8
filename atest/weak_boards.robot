*** Settings ***
Documentation    As a tester I want a bad day to find the board with a weakness, and to leave the good board alone,
...              so that I trust the day.
...
...              Each weak board has one mistake that real boot loaders had.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         TftpBoard/board.resource

Test Setup       Start Server With A Kernel
Test Template    Good Board Should Survive And Weak One Should Not


*** Test Cases ***    WEAKNESS    FAILURE    KIND    PACKET    HOW
A Board That Believes Strangers
    [Tags]    smoke
    believes_strangers: True    The board holds another 'zImage' than the store.    stray    DATA 9
A Board That Counts Duplicates
    counts_duplicates: True    *no answer after 3 retries*    duplicate    DATA 5
A Board That Asks Only Once
    [Tags]    smoke
    retries: 0    *no answer after 0 retries*    drop    request
A Board Without Rollover
    [Tags]    slow
    no_rollover: True    The board has not booted.*    duplicate    DATA 65536    blksize=8    windowsize=32
A Board That Trusts Every Option Answer
    [Documentation]    The good board refuses the answer, and asks again after it.
    [Template]    Good Board Should Refuse And Weak One Should Not Notice
    trusts_oack: True    *blksize\=9000*    wrong_oack    OACK    options=blksize=9000
A Board That Keeps A Short File
    [Documentation]    The good board says that its download failed.
    [Template]    Good Board Should Refuse And Weak One Should Not Notice
    keeps_short_file: True    *ERROR 3 'No room'*    error    DATA 9    code=3    message=No room


*** Keywords ***
Start Server With A Kernel
    Start TFTP Server
    Create Test File    zImage    600 kB

Good Board Should Survive And Weak One Should Not
    [Arguments]    ${weakness}    ${failure}    ${kind}    ${packet}    &{options}
    ${habit}    ${value}    Evaluate    $weakness.split(': ')
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    times=2
    Board Should Survive    ${fault}    &{options}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage
    Run Keyword And Expect Error    On the day '${kind} ${packet} of 'zImage'': ${failure}
    ...    Board Should Survive    ${fault}    ${habit}=${value}    &{options}

Good Board Should Refuse And Weak One Should Not Notice
    [Documentation]    The weak board holds a wrong image, and nothing but its checksum shows that.
    [Arguments]    ${weakness}    ${refusal}    ${kind}    ${packet}    &{how}
    ${habit}    ${value}    Evaluate    $weakness.split(': ')
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    times=2    &{how}
    Run Keyword And Expect Error    ${refusal}    Board Boots
    Board Boots    ${habit}=${value}
    Run Keyword And Expect Error    The board holds another 'zImage' than the store.
    ...    Board Should Hold File    zImage
    TFTP Fault Should Have Happened    ${fault}    times=2

Board Should Survive
    [Documentation]    The failure names the day, since it is called with the fault.
    [Arguments]    ${fault}    &{how}
    TRY
        Board Boots    &{how}
        Board Should Hold File    zImage
    EXCEPT    AS    ${error}
        ${day}    TFTP Fault Should Have Happened    ${fault}
        Fail    On the day '${day.text}': ${error}
    END
    TFTP Fault Should Have Happened    ${fault}

Board Boots
    [Documentation]    Switches the board off and on, and waits until it has loaded its kernel.
    [Arguments]    &{how}
    VAR    &{asking}    timeout=${EMPTY}    retries=3    retry_after=300ms    &{how}
    Switch Board Off
    Switch Board On    zImage    &{asking}
    Wait Until Board Has Booted
