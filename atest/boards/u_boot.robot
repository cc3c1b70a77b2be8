*** Settings ***
Documentation    As a tester I want real boot loaders to boot from our server, so that I know that
...              it serves boards, and not only our own idea of a board.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         boards.resource

Suite Setup      Start Server
Test Setup       Require Board    arm


*** Variables ***
@{PROBES}    pxelinux.cfg/01-52-54-00-12-34-0b
...          pxelinux.cfg/0A00020F
...          pxelinux.cfg/0A00020
...          pxelinux.cfg/0A0002
...          pxelinux.cfg/0A000
...          pxelinux.cfg/0A00
...          pxelinux.cfg/0A0
...          pxelinux.cfg/0A
...          pxelinux.cfg/0
...          pxelinux.cfg/default-arm
...          pxelinux.cfg/default


*** Test Cases ***
U-Boot Loads An Image
    [Tags]    smoke
    [Setup]    NONE
    [Template]    Board Loads An Image
    arm
    arm64

U-Boot Loads An Image Of The Size Of A Kernel
    [Documentation]    In lockstep, and in windows as they are used where the network is good.
    [Template]    Board Loads A Kernel
    1
    4
    16

The Name That The Board Asked For Is Shown When A File Is Missing
    [Documentation]    The environment of the board has a wrong name in it.
    [Tags]    smoke
    Create Test File    boot/zImage    1 MiB
    Switch On Board    arm
    ${printed}    U-Boot Cannot Load File    boot/zimage
    Should Contain    ${printed}    TFTP error: 'File not found' (1)
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until File Is Downloaded    boot/zImage    0.1s
    Should Contain    ${failure}    the nearest: 'boot/zimage' (file not found)
    Should Contain    ${failure}    read request for 'boot/zimage' from 127.0.0.11: file not found

U-Boot Searches For Its Configuration
    [Documentation]    `pxe get` asks for the card, for each shorter part of the address, and at last
    ...    for the default.
    [Tags]    smoke
    Upload Text    DEFAULT linux    pxelinux.cfg/default
    Switch On Board    arm
    ${printed}    Run Command    pxe get
    Should End With    ${printed}    found
    Requests Should Be    @{PROBES}
    Get Transfer Count    pxelinux.cfg/*    ==    10    outcome=refused
    Wait Until File Is Downloaded    pxelinux.cfg/default

DHCP Names The File That U-Boot Loads
    [Tags]    smoke
    Create Test File    boot/uImage    1 MiB
    Switch On Board    arm    boot_file=boot/uImage
    Run Command    dhcp ${LOAD}
    Memory Should Hold File    boot/uImage
    Wait Until File Is Downloaded    boot/uImage    client=127.0.0.11


*** Keywords ***
Start Server
    Start TFTP Server
    Create Test File    image.bin    1 MiB
    Create Test File    zImage    16 MiB

Board Loads An Image
    [Arguments]    ${kind}
    Require Board    ${kind}
    Mark Transfers
    Switch On Board    ${kind}
    U-Boot Loads File    image.bin
    Memory Should Hold File    image.bin
    Wait Until File Is Downloaded    image.bin
    Transfer Should Have Used    image.bin    blksize=1468    windowsize=1    mode=octet
    Power Off

Board Loads A Kernel
    [Arguments]    ${windowsize}
    Mark Transfers
    Switch On Board    arm
    U-Boot Loads File    zImage    windowsize=${windowsize}
    Memory Should Hold File    zImage
    ${transfer}    Wait Until File Is Downloaded    zImage
    Should Be Equal As Integers    ${transfer.octets}    16777216
    Transfer Should Have Used    zImage    blksize=1468    windowsize=${windowsize}
    Power Off
