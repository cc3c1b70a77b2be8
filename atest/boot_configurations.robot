*** Settings ***
Documentation    As a tester I want to give a board its configuration without knowing how its boot loader writes
...              names, and to read what it looked for when it finds none.
...
...              The simulated board asks as PXELINUX does; `atest/boards/` has the real ones.

Library          String
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=0s
Resource         TftpBoard/board.resource

Test Setup       Start The Server


*** Variables ***
&{BOARD}    mac=52:54:00:AB:CD:07    ip=%{TFTP_LIBRARY_BOARD_ADDRESS=127.0.0.1}
${OWN}      pxelinux.cfg/01-52-54-00-ab-cd-07


*** Test Cases ***
A Board Boots With A Configuration Of Its Own
    [Tags]    smoke
    ${config}    Upload Boot Config    pxelinux    kernel=vmlinuz    initrd=initrd.gz    mac=${BOARD.mac}
    Should Be Equal    ${config.name}    ${OWN}
    Board Boots
    Requests Should Be    pxelinux.0    ${OWN}    vmlinuz    initrd.gz

A Board Falls Back To The Configuration For All
    [Documentation]    The names before it are missing, as they should be: no keyword has to name them.
    [Tags]    smoke
    Upload Boot Config    pxelinux    kernel=vmlinuz
    Board Boots
    ${names}    Get Boot File Names    pxelinux    &{BOARD}    until=default
    Requests Should Be    pxelinux.0    @{names}[1:]    vmlinuz
    No Requested File Should Be Missing

A Missing Kernel Is Missing
    Upload Boot Config    pxelinux    kernel=no-kernel    mac=${BOARD.mac}
    Run Keyword And Expect Error    *    Board Boots
    Run Keyword And Expect Error    1 requested file was missing: 'no-kernel' from *
    ...    No Requested File Should Be Missing

A Name That Differs In Case Is Told In One Sentence
    [Tags]    smoke
    Upload Text    DEFAULT linux    ${OWN.upper()}
    Run Keyword And Expect Error    *    Board Boots
    ${failure}    Run Keyword And Expect Error    *    Wait Until File Is Downloaded    vmlinuz
    ${sentence}    Get Line    ${failure}    0
    ${digits}    Get Boot File Names    u_boot_no_name    ip=${BOARD.ip}
    VAR    ${expected}
    ...    'vmlinuz' was not downloaded in 0 ms. The board runs PXELINUX and found no configuration: it
    ...    asked ${OWN}, ${digits[0][:8]} and 7 shorter ones, default. The store has '${OWN.upper()}': it
    ...    differs in case only. Upload it under the name that the board asks for.    separator=${SPACE}
    Should Be Equal    ${sentence}    ${expected}

A Configuration That A Signed GRUB Would Not Look For Is A Warning
    Upload Boot Config    grub_signed    kernel=vmlinuz    only_for=${BOARD.ip}
    Upload Boot Config    grub    kernel=vmlinuz    mac=${BOARD.mac}    folder=/grub
    List Files    grub/*    ==    ${{ ['grub/grub.cfg', 'grub/grub.cfg-01-52-54-00-ab-cd-07'] }}

Nonsense Is Refused With What Was Expected
    [Template]    Name Is Refused
    mac: expected a MAC address such as *, got 'mac of board 7'.    mac=mac of board 7
    ip: expected an IPv4 address such as *, got '10.0.0'.    ip=10.0.0
    uuid: expected a UUID such as *, got '1234'.    uuid=1234


*** Keywords ***
Start The Server
    Start TFTP Server
    Upload Text    loader    pxelinux.0
    Create Test File    vmlinuz    1 MiB
    Create Test File    initrd.gz    100 kB

Board Boots
    [Documentation]    PXELINUX is switched on, and has loaded everything.
    Switch Board On    pxelinux.0    loader=pxelinux    mac=${BOARD.mac}
    Wait Until Board Has Booted

Name Is Refused
    [Arguments]    ${message}    &{known}
    Run Keyword And Expect Error    ${message}    Get Boot File Names    pxelinux    &{known}
