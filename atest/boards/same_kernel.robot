*** Settings ***
Documentation    As a tester I want to give a board its kernel by one keyword, whatever boot loader it has,
...              so that I need not know how each of them is configured.
...
...              The same kernel and initramfs, by four loaders. None of them asks for a file that is
...              missing, but for those that it can do without; no test has to name those.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=2 min
Resource         boards.resource

Test Setup       Provide Linux
Test Teardown    Run Keyword If Test Passed    No Requested File Should Be Missing

Test Tags        long    slow


*** Variables ***
&{LINUX}          kernel=vmlinuz    initrd=initrd.gz    append=console=ttyS0
${SHIM}           /usr/lib/shim/shimx64.efi.signed
${SIGNED_GRUB}    /usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed


*** Test Cases ***
PXELINUX Boots The Kernel
    Require Board    pc
    Upload File    /usr/lib/PXELINUX/pxelinux.0
    Upload File    /usr/lib/syslinux/modules/bios/ldlinux.c32
    ${board}    Next Board
    ${config}    Upload Boot Config    pxelinux    &{LINUX}    mac=${board}[mac]
    Switch On PC    pc    pxelinux.0
    Linux Should Run
    Wait Until File Is Downloaded    ${config.name}

U-Boot Boots The Kernel
    [Documentation]    U-Boot 2023.01 hands the wrong size of the initramfs to a kernel of a PC, so the
    ...    kernel starts and finds no root; an arm64 board boots to its shell in `linux.robot`.
    Require Board    pc_uboot
    ${board}    Next Board
    ${config}    Upload Boot Config    u_boot    &{LINUX}    mac=${board}[mac]
    Switch On Board    pc_uboot
    Run Command    setenv pxefile_addr_r 0x3000000; setenv kernel_addr_r 0x8000000
    Run Command    setenv ramdisk_addr_r 0x10000000; setenv bootfile pxelinux.0; pxe get
    Type On Console    pxe boot
    Wait For Console    ^\\[.*\\] Linux version    timeout=3 min
    Wait Until File Is Downloaded    vmlinuz
    Wait Until File Is Downloaded    initrd.gz
    Wait Until File Is Downloaded    ${config.name}

A Signed GRUB Boots The Kernel
    Require Board    uefi
    Upload File    ${SHIM}    shimx64.efi
    Upload File    ${SIGNED_GRUB}    grubx64.efi
    ${config}    Upload Boot Config    grub_signed    &{LINUX}    only_for=127.0.0.11
    Switch On PC    uefi    shimx64.efi
    Linux Should Run
    Wait Until File Is Downloaded    ${config.name}

A GRUB With An Image Of Ones Own Boots The Kernel
    Require Board    uefi
    ${image}    Build GRUB    ${OUTPUT_DIR}/own.efi
    Upload File    ${image}
    ${board}    Next Board
    ${config}    Upload Boot Config    grub    &{LINUX}    mac=${board}[mac]    folder=/grub
    Switch On PC    uefi    own.efi
    Linux Should Run
    Wait Until File Is Downloaded    ${config.name}

IPXE Boots The Kernel
    Require Board    pc
    ${config}    Upload Boot Config    ipxe    &{LINUX}    boot_file=boot/linux.ipxe
    Switch On PC    pc    ${config.name}
    Linux Should Run
    Wait Until File Is Downloaded    ${config.name}


*** Keywords ***
Provide Linux
    ${kernel}    ${initrd}    Get Linux Files    amd64
    Start TFTP Server
    Upload File    ${kernel}    vmlinuz
    Upload File    ${initrd}    initrd.gz

Next Board
    [Documentation]    Returns what is known of the board that is switched on next.
    VAR    &{board}    mac=52:54:00:12:34:0b    ip=10.0.2.15
    RETURN    ${board}

Linux Should Run
    [Documentation]    Kernel and initramfs were loaded, and the shell of the initramfs is there.
    Wait For Console    ^board#    timeout=3 min
    Wait Until File Is Downloaded    vmlinuz
    Wait Until File Is Downloaded    initrd.gz
