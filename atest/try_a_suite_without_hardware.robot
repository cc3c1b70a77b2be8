*** Settings ***
Documentation    As a tester I want to run my suite against a simulated board, so that it works when the
...              hardware comes, and I have to change only the power switch.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         TftpBoard/board.resource

Test Setup       Start Server With Boot Files


*** Test Cases ***
A Board Loads Its Files In Order
    [Tags]    smoke
    Power Cycle    boot.scr    zImage    dtb/board.dtb
    ${kernel}    Wait Until File Is Downloaded    zImage
    Should Be Equal As Integers    ${kernel.octets}    1000000
    Wait Until Board Has Booted
    Board Should Hold File    zImage
    Requests Should Be    boot.scr    zImage    dtb/board.dtb    match=in_order
    Transfer Should Have Used    zImage    blksize=1468    max_retransmits=0

A Wrong Name Fails Before The Hardware Is There
    [Tags]    smoke
    Power Cycle    zimage
    Run Keyword And Expect Error    *nearest: 'zimage' (file not found)*
    ...    Wait Until File Is Downloaded    zImage    timeout=0.2s
    Run Keyword And Expect Error    *get 'zimage': ERROR 1 'File not found'*
    ...    Wait Until Board Has Booted

A PXELINUX Board Finds Its Configuration
    [Tags]    smoke
    Upload Text    loader    pxelinux.0
    Upload Text    DEFAULT a\nLABEL a\nKERNEL zImage\nFDT dtb/board.dtb    pxelinux.cfg/default
    Power Cycle    pxelinux.0    loader=pxelinux    mac=52:54:00:ab:cd:01
    Wait Until File Is Downloaded    dtb/board.dtb
    ${asked}    Get Requested Files
    Should Be Equal    ${asked}[1]    pxelinux.cfg/01-52-54-00-ab-cd-01
    Should Start With    ${asked}[2]    pxelinux.cfg/7F0000
    Get Transfer Count    pxelinux.cfg/*    ==    9    outcome=refused

A UEFI Board Asks For The Size First
    [Tags]    smoke
    Power Cycle    zImage    loader=uefi
    Wait Until File Is Downloaded    zImage
    Get Transfer Count    zImage    ==    1    outcome=probed

A Board Uploads Its Log And Its Configuration
    [Tags]    smoke
    Power Cycle
    Board Uploads File    logs/boot.log    it works\n
    Wait Until File Is Received    logs/boot.log
    Get TFTP File Text    logs/boot.log    ==    it works\n
    ${octets}    Board Downloads File    boot.scr
    Should Be Equal    ${octets}    ${{ b"echo booting" }}

A Board Asks For The Options Of A Real One
    [Template]    Board Asks For Options
    blksize=1468    timeout=5
    blksize=512    timeout=
    windowsize=16    tsize=0    blksize=1428

Power That Fails In The Middle Is Seen
    Create Test File    rootfs    32 MB
    Power Cycle    rootfs    blksize=512
    Wait Until File Is Requested    rootfs
    Switch Board Off
    Run Keyword And Expect Error    *'rootfs' was not downloaded*
    ...    Wait Until File Is Downloaded    rootfs    timeout=0.2s
    Power Cycle    zImage
    Wait Until File Is Downloaded    zImage

Two Boards Boot At Once
    Power Cycle    zImage    board=left
    Power Cycle    zImage    board=right    address=127.0.0.2    windowsize=8
    Wait Until File Is Downloaded    zImage    client=127.0.0.1
    Wait Until File Is Downloaded    zImage    client=127.0.0.2
    Board Should Have Loaded    left    zImage
    Board Should Have Loaded    right    zImage


*** Keywords ***
Start Server With Boot Files
    Start TFTP Server    alias=lab    writable=True
    Create Test File    zImage    1 MB
    Upload Text    echo booting    boot.scr
    Upload Text    device tree    dtb/board.dtb

Power Cycle
    [Documentation]    The only keyword that changes when the hardware is there.
    [Arguments]    @{files}    ${board}=board    &{how}
    Switch Board Off    board=${board}
    Switch Board On    @{files}    board=${board}    &{how}

Board Should Have Loaded
    [Arguments]    ${board}    ${name}
    Wait Until Board Has Booted    board=${board}
    Board Should Hold File    ${name}    board=${board}

Board Asks For Options
    [Arguments]    &{options}
    Power Cycle    zImage    &{options}
    ${transfer}    Wait Until File Is Downloaded    zImage
    FOR    ${name}    ${value}    IN    &{options}
        Should Be Equal    ${{ $transfer.requested.get($name, "") }}    ${value}
    END
    Mark Transfers
