*** Settings ***
Documentation    As a tester I want to wait for what my board really does, and to assert what it asked for, so that
...              no test sleeps or passes because of an earlier test.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         equipment/board.resource

Suite Setup      Start Server With Boot Files


*** Test Cases ***
A Board Is Powered And Three Files Are Waited For
    [Documentation]    Nothing sleeps: the test goes on as soon as the board has its files.
    [Tags]    smoke
    Power The Board
    ${script}    Wait Until File Is Downloaded    boot.scr
    ${kernel}    Wait Until File Is Downloaded    zImage
    ${tree}    Wait Until File Is Downloaded    dtb/*.dtb    client=127.0.0.0/8
    Should Be Equal As Integers    ${script.octets}    11
    Should Be Equal As Integers    ${kernel.octets}    100000
    Should Be Equal    ${tree.filename}    dtb/board.dtb
    The Board Is Off

Several Files Are Waited For At Once
    Power The Board
    ${transfers}    Wait Until Files Are Downloaded    zImage    dtb/*.dtb    boot.scr    timeout=10s
    Should Be Equal    ${transfers[1].filename}    dtb/board.dtb
    Run Keyword And Expect Error    1 of 2 files was not downloaded in 100 ms:*- 'ramdisk.gz': no such name *
    ...    Wait Until Files Are Downloaded    zImage    ramdisk.gz    timeout=100ms
    The Board Is Off

A Refusal Can End A Wait
    Board Cannot Read File    initrd    1
    Run Keyword And Expect Error
    ...    'initrd' was not downloaded * refused: file not found. *With fail_fast=True the wait ended at once.
    ...    Wait Until File Is Downloaded    initrd    10 min    fail_fast=True

The Default Of All Waits Can Be Set
    ${before}    Set TFTP Timeout    100ms    scope=test
    Run Keyword And Expect Error    'initrd' was not downloaded in 100 ms: *
    ...    Wait Until File Is Downloaded    initrd
    ${short}    Set TFTP Timeout    ${before}    scope=test
    Should Be Equal    ${short}    100ms    type=timedelta

A Board That Was Faster Than The Test Is Not Missed
    [Tags]    smoke
    Board Reads File    zImage
    Wait Until File Is Requested    zImage    0s
    Wait Until File Is Downloaded    zImage    100ms

Transfers Of An Earlier Test Do Not Count
    Get Transfer Count    *    ==    0
    Requests Should Be
    Run Keyword And Expect Error    'zImage' *: it was requested before the mark only (completed, *). If that*
    ...    Wait Until File Is Downloaded    zImage    0s
    Wait Until File Is Downloaded    zImage    0s    since=0

A Second Boot Counts From The Mark
    Board Reads File    zImage
    Wait Until File Is Downloaded    zImage
    ${mark}    Mark Transfers
    File Should Not Have Been Requested    zImage
    Board Reads File    zImage
    Wait Until File Is Downloaded    zImage    since=${mark}
    Get Transfer Count    zImage    ==    1

A Request Is Seen While The Transfer Runs
    Board Starts Reading File    zImage    pause_after=5
    ${request}    Wait Until File Is Requested    z*
    Should Be True    ${request.is_running}
    Run Keyword And Expect Error    'zImage' * still running. *
    ...    File Should Have Been Downloaded    zImage
    Board Goes On
    Wait Until File Is Downloaded    zImage
    Board Has Read File

Several Downloads Are Waited For
    Board Starts Reading File    zImage    local_host=127.0.0.2
    Board Starts Reading File    zImage    local_host=127.0.0.3
    Wait Until File Is Downloaded    zImage    times=2
    File Should Have Been Downloaded    zImage    client=127.0.0.2    times=1
    File Should Have Been Downloaded    zImage    client=127.0.0.3    times=1
    File Should Have Been Downloaded    zImage    times=2
    Board Has Read File

The Board Has All That It Wants
    [Documentation]    The test does not know which file the board will load last.
    Power The Board
    Wait Until File Is Requested    boot.scr
    Wait Until Transfers Are Idle    300ms
    VAR    @{wanted}    boot.scr    zImage    dtb/board.dtb
    Get Requested Files    *    ==    ${wanted}
    Get Requested Files    *.dtb    ==    dtb/board.dtb
    Get Requested Files    *    not contains    initrd
    The Board Is Off

A Board That Never Comes To Rest Is Told
    Board Starts Reading File    zImage    pause_after=5
    Wait Until File Is Requested    zImage
    Run Keyword And Expect Error
    ...    Transfers were not idle for 2 s in 200 ms: read request for 'zImage' from 127.0.0.1 is running, * %*
    ...    Wait Until Transfers Are Idle    timeout=200ms
    Board Goes On
    Board Has Read File

A Power Cut Does Not Keep The Next Boot From Its Rest
    [Documentation]    The board asks for a timeout of 5 s, so that the server sends to it for half a minute after
    ...    its power was cut. Once it boots again, its first transfer is known to be dead. The server of this test
    ...    takes that transfer with it.
    Start TFTP Server    alias=bench
    Create Test File    zImage    100 kB
    Board Reads File    zImage    timeout=5    stop_after=3    stop_with=silence
    Run Keyword And Expect Error    Transfers were not idle for 300 ms in 500 ms: read request for 'zImage' *
    ...    Wait Until Transfers Are Idle    300ms    timeout=500ms
    Board Reads File    zImage
    Wait Until File Is Downloaded    zImage    0s
    Wait Until Transfers Are Idle    300ms    timeout=10s
    ${cut}    ${second}    Get Transfers    zImage
    Should Be True    $cut.is_running
    Should Be Equal    ${second.outcome.name}    completed

The Requests Are The Expected Ones
    [Tags]    smoke
    Board Cannot Read File    pxelinux.cfg/01-52-54    1
    FOR    ${name}    IN    boot.scr    zImage    dtb/board.dtb
        Board Reads File    ${name}
    END
    Requests Should Be    pxelinux.cfg/*    boot.scr    zImage    dtb/board.dtb
    Requests Should Be    boot.scr    *.dtb    match=in_order
    Requests Should Be    zImage    boot.scr    match=subset    client=${CLIENT}
    No Requested File Should Be Missing    ignore=pxelinux.cfg/*

A Transfer Is As Fast As It Should Be
    ${report}    Board Reads File    zImage    blksize=1468    windowsize=4
    Wait Until File Is Downloaded    zImage
    ${transfer}    Transfer Should Have Used    zImage    blksize=1468    windowsize=4    mode=octet
    ...    max_retransmits=0    max_duration=5s    min_rate=100 kB/s
    Should Be Equal As Integers    ${transfer.blocks}    ${report.blocks}

An Upload Is Waited For
    Board Starts Writing File    board.log    ${{ 'x' * 5000 }}
    ${upload}    Wait Until File Is Received    *.log    min_size=5 kB
    Should Be Equal    ${upload.filename}    board.log
    Board Has Written File


*** Keywords ***
Start Server With Boot Files
    Start TFTP Server    writable=True
    Upload Text    boot script    boot.scr
    Create Test File    zImage    100 kB
    Create Test File    dtb/board.dtb    5 kB

Power The Board
    [Documentation]    Switches the board on. From here on it acts by itself.
    FOR    ${name}    IN    boot.scr    zImage    dtb/board.dtb
        Board Starts Reading File    ${name}
    END

The Board Is Off
    Board Has Read File
