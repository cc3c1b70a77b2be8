*** Settings ***
Documentation    As a tester I want to know the names that a boot loader asks for before the board is
...              there, so that the first file lies where it is looked for.
...
...              Each real loader asks our server, and `Get Boot File Names` has said before what it
...              will ask, name by name.

Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=60s
Resource         boards.resource

Test Setup       Start TFTP Server

Test Tags        long    slow


*** Variables ***
# Each board sees itself at this address, and its first names are those of it.
${ADDRESS}        10.0.2.15
${PXELINUX}       /usr/lib/PXELINUX/pxelinux.0
${LDLINUX}        /usr/lib/syslinux/modules/bios/ldlinux.c32
${SHIM}           /usr/lib/shim/shimx64.efi.signed
${SIGNED_GRUB}    /usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed


*** Test Cases ***
PXELINUX Asks As The Table Says
    Require Board    pc
    Provide PXELINUX    tftpboot/
    ${board}    Switch On PC    pc    tftpboot/pxelinux.0
    ${names}    Get Boot File Names    pxelinux    boot_file=tftpboot/pxelinux.0    ip=${ADDRESS}
    ...    mac=${board.mac}    uuid=${board.uuid}
    Board Should Have Asked    tftpboot/pxelinux.0    @{names}

PXELINUX With A Configuration From DHCP Goes On To Search
    [Documentation]    The name of option 209 comes first. Where there is no such file, the search follows,
    ...    in the folder of option 210.
    Require Board    pc
    Upload File    ${PXELINUX}
    Upload File    ${LDLINUX}    own/ldlinux.c32
    VAR    &{options}    ${209}=${{ b'here.cfg' }}    ${210}=${{ b'own/' }}
    ${board}    Switch On PC    pc    pxelinux.0    dhcp_options=${options}
    ${first}    @{names}    Get Boot File Names    pxelinux    folder=own    ip=${ADDRESS}
    ...    mac=${board.mac}    uuid=${board.uuid}
    Board Should Have Asked    pxelinux.0    ${first}    own/here.cfg    @{names}

U-Boot Asks As The Table Says
    Require Board    arm
    ${board}    Switch On Board    arm
    Run Failing Command    pxe get
    ${names}    Get Boot File Names    u_boot    mac=${board.mac}    ip=${ADDRESS}    arch=arm
    Board Should Have Asked    @{names}

U-Boot Asks For The UUID Of Its Variable As It Is Written There
    Require Board    arm
    ${board}    Switch On Board    arm
    Run Failing Command    setenv pxeuuid ${board.uuid}; pxe get
    ${names}    Get Boot File Names    u_boot    mac=${board.mac}    ip=${ADDRESS}    arch=arm
    ...    uuid=${board.uuid.upper()}
    Board Should Have Asked    @{names}

U-Boot Asks In The Folder Of Its Boot File, Whatever DHCP Says Of Configurations
    [Documentation]    This build does not know the options 209 and 210.
    Require Board    arm
    VAR    &{options}    ${209}=${{ b'here.cfg' }}    ${210}=${{ b'own/' }}
    ${board}    Switch On Board    arm    boot_file=d/boot.bin    dhcp_options=${options}
    Run Failing Command    setenv autoload no; dhcp; pxe get
    ${names}    Get Boot File Names    u_boot    boot_file=d/boot.bin    mac=${board.mac}
    ...    ip=${ADDRESS}    arch=arm
    Board Should Have Asked    @{names}

U-Boot That Boots By Itself Asks As The Table Says
    Require Board    arm
    Switch On Board    arm    boot_file=d/boot.bin
    Run Command    run bootcmd_dhcp
    ${names}    Get Boot File Names    u_boot_distro    boot_file=d/boot.bin
    Board Should Have Asked    @{names}

U-Boot That Is Told No Name Asks For Its Address
    Require Board    arm
    Switch On Board    arm
    Run Failing Command    tftpboot
    ${names}    Get Boot File Names    u_boot_no_name    ip=${ADDRESS}
    Board Should Have Asked    @{names}

GRUB With An Image Of Ones Own Asks As The Table Says
    Require Board    uefi
    ${image}    Build GRUB    ${OUTPUT_DIR}/own.efi
    Upload File    ${image}
    ${board}    Switch On PC    uefi    own.efi    echoes_uuid=True
    ${names}    Get Boot File Names    grub    mac=${board.mac}    ip=${ADDRESS}    uuid=${board.uuid}
    Board Should Have Asked    own.efi    own.efi    @{names}

GRUB Asks For No UUID That DHCP Does Not Return
    [Documentation]    An image without a prefix looks in its own folder, and no name begins with a slash.
    Require Board    uefi
    ${image}    Build GRUB    ${OUTPUT_DIR}/own.efi    prefix=${EMPTY}
    Upload File    ${image}    img/own.efi
    ${board}    Switch On PC    uefi    img/own.efi
    ${names}    Get Boot File Names    grub    mac=${board.mac}    ip=${ADDRESS}    boot_file=img/own.efi
    Board Should Have Asked    img/own.efi    img/own.efi    @{names}

UEFI, Shim And A Signed GRUB Ask As The Table Says
    Require Board    uefi
    Provide Signed GRUB    a/
    ${board}    Switch On PC    uefi    a/shimx64.efi    echoes_uuid=True
    ${firmware}    Get Boot File Names    uefi    boot_file=a/shimx64.efi
    ${shim}    Get Boot File Names    shim    boot_file=a/shimx64.efi
    ${grub}    Get Boot File Names    grub_signed    mac=${board.mac}    ip=${ADDRESS}
    ...    uuid=${board.uuid}
    Board Should Have Asked    @{firmware}    @{shim}    @{grub}

IPXE Asks For What DHCP Names
    Require Board    pc
    Upload Text    \#!ipxe\nshell    a/boot.ipxe
    Switch On PC    pc    a/boot.ipxe
    Wait Until File Is Downloaded    a/boot.ipxe
    ${names}    Get Boot File Names    ipxe    boot_file=a/boot.ipxe
    Board Should Have Asked    @{names}


*** Keywords ***
Provide PXELINUX
    [Arguments]    ${folder}
    Upload File    ${PXELINUX}    ${folder}pxelinux.0
    Upload File    ${LDLINUX}    ${folder}ldlinux.c32

Provide Signed GRUB
    [Arguments]    ${folder}
    Upload File    ${SHIM}    ${folder}shimx64.efi
    Upload File    ${SIGNED_GRUB}    ${folder}grubx64.efi

Board Should Have Asked
    [Documentation]    The names in this order, and no other one.
    [Arguments]    @{names}
    Wait Until File Is Requested    ${names}[-1]
    Requests Should Be    @{names}
