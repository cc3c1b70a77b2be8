*** Settings ***
Documentation    As a tester with a rack of different boards I want to publish the kernel of each board by
...              one keyword and to boot all at once, and when one does not boot I want to read which
...              board asked what, and what was there instead.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=3 min
Resource         boards.resource

Suite Setup      Require Boards
Test Setup       Fill The Store

Test Tags        long    slow


*** Variables ***
# The server sees the boards of a test at these addresses, in the order in which they are switched on.
${UBOOT_IP}    127.0.0.11
${UEFI_IP}     127.0.0.12
${IPXE_IP}     127.0.0.13
${MAC}         52:54:00:12:34:0b
${ASKED}       SEPARATOR=${SPACE}
...            runs U-Boot and found no configuration: it asked pxelinux.cfg/01-52-54-00-12-34-0b,
...            0A00020F and 7 shorter ones, default-arm, default.
${UNASKED}     SEPARATOR=${SPACE}
...            The board ${UEFI_IP} runs a GRUB that looks for no file of its own, as Debian and Ubuntu
...            sign it: it asked /grub/grub.cfg only. The store has
...            'grub/grub.cfg-01-52-54-00-12-34-0c', for which it never asks. Upload that as
...            'grub/grub.cfg' with only_for=${UEFI_IP}.


*** Test Cases ***
Three Boards Boot Their Own Kernel At Once
    Upload Boot Config    u_boot    kernel=kernels/u-boot    initrd=initrds/arm64
    ...    append=console=ttyAMA0 quiet    mac=${MAC}
    Upload Boot Config    grub_signed    kernel=kernels/uefi    initrd=initrds/amd64
    ...    append=console=ttyS0 quiet    only_for=${UEFI_IP}
    Upload Boot Config    ipxe    kernel=kernels/ipxe    initrd=initrds/amd64
    ...    append=console=ttyS0 quiet    boot_file=ipxe.ipxe
    ${u_boot}    ${uefi}    ${ipxe}    Switch On The Rack
    FOR    ${board}    IN    ${u_boot}    ${uefi}    ${ipxe}
        Wait For Console    ^board#    timeout=5 min    board=${board}
    END
    File Should Have Been Downloaded    kernels/u-boot    client=${UBOOT_IP}    times=1
    File Should Have Been Downloaded    kernels/uefi    client=${UEFI_IP}    times=1
    File Should Have Been Downloaded    kernels/ipxe    client=${IPXE_IP}    times=1
    No Requested File Should Be Missing
    Log Transfers

Configurations Of Other Boards Are Named With What Each Board Asked
    [Documentation]    The MAC address of one configuration is wrong, and a signed GRUB looks for none.
    Upload Boot Config    u_boot    kernel=kernels/u-boot    mac=52:54:00:12:34:bb
    Upload Boot Config    grub    kernel=kernels/uefi    mac=52:54:00:12:34:0c    folder=/grub
    Upload Boot Config    ipxe    kernel=kernels/ipxe    boot_file=ipxe.ipxe
    Switch On The Rack    finds_configuration=${False}
    Wait Until File Is Requested    /grub/grub.cfg    client=${UEFI_IP}
    Wait Until File Is Downloaded    kernels/ipxe    client=${IPXE_IP}
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until Files Are Downloaded    kernels/u-boot    kernels/uefi    timeout=0s
    Log    ${failure}
    Should Contain    ${failure}    The board ${UBOOT_IP} ${ASKED}
    Should Contain    ${failure}
    ...    The store has 'pxelinux.cfg/01-52-54-00-12-34-bb', which this board does not ask for.
    Should Contain    ${failure}    ${UNASKED}
    ${failure}    Run Keyword And Expect Error    *    No Requested File Should Be Missing
    Should Contain    ${failure}    The board ${UBOOT_IP} runs U-Boot and found no configuration

A Configuration In Capitals Is Named As The One That Differs In Case
    Upload Text    DEFAULT linux    pxelinux.cfg/01-52-54-00-12-34-0B
    Switch On Board    linux
    Run Failing Command    pxe get
    ${failure}    Run Keyword And Expect Error    *
    ...    Wait Until File Is Downloaded    kernels/u-boot    timeout=0s
    Should Start With    ${failure}    'kernels/u-boot' was not downloaded in 0 ms. The board ${ASKED}
    Should Contain    ${failure}
    ...    The store has 'pxelinux.cfg/01-52-54-00-12-34-0B': it differs in case only.


*** Keywords ***
Require Boards
    Require Board    linux
    Require Board    uefi
    Require Board    pc
    Get Linux Files    amd64

Fill The Store
    [Documentation]    The loaders, and a kernel for each board.
    ${arm64}    ${arm64_initrd}    Get Linux Files
    ${amd64}    ${amd64_initrd}    Get Linux Files    amd64
    # Three machines at once may keep a board from answering for a while.
    Start TFTP Server    retries=40
    Upload File    /usr/lib/shim/shimx64.efi.signed    shimx64.efi
    Upload File    /usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed    grubx64.efi
    Upload File    ${arm64}    kernels/u-boot
    Upload File    ${amd64}    kernels/uefi
    Upload File    ${amd64}    kernels/ipxe
    Upload File    ${arm64_initrd}    initrds/arm64
    Upload File    ${amd64_initrd}    initrds/amd64

Switch On The Rack
    [Documentation]    The first board waits at its prompt, and boots when the others are on.
    [Arguments]    ${finds_configuration}=${True}
    ${u_boot}    Switch On Board    linux
    ${uefi}    Switch On PC    uefi    shimx64.efi
    ${ipxe}    Switch On PC    pc    ipxe.ipxe
    Run Command    setenv tftpwindowsize 16    board=${u_boot}
    IF    ${finds_configuration}
        Type On Console    pxe get && pxe boot    board=${u_boot}
    ELSE
        Run Failing Command    pxe get    board=${u_boot}
    END
    RETURN    ${u_boot}    ${uefi}    ${ipxe}
