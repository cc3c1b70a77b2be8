*** Settings ***
Documentation    As a tester I want a board to boot its Linux from our server and to send me its
...              report, so that the whole way of a test, from power on to the result, is one suite.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=30s
Resource         boards.resource

Suite Setup      Require Board    linux
Test Setup       Boot Linux On A Fresh Board


*** Variables ***
${CONFIGURATION}    SEPARATOR=\n
...                 DEFAULT linux
...                 LABEL linux
...                 KERNEL Image
...                 INITRD initramfs.cpio.gz
...                 APPEND console=ttyAMA0 quiet


*** Test Cases ***
Linux Boots From The Server And Uploads A Report
    [Documentation]    U-Boot finds its configuration, loads initramfs and kernel, and starts them.
    ...    busybox of that Linux then sends a file.
    Wait Until File Is Downloaded    Image
    Wait Until File Is Downloaded    initramfs.cpio.gz
    ${checksum}    Board Writes Report
    Run Command    busybox tftp -p -l report.bin -r reports/board.bin 10.0.2.2
    ${upload}    Wait Until File Is Received    reports/board.bin    min_size=1000000
    Should Be Equal    ${upload.client}    127.0.0.11
    Get TFTP File Checksum    reports/board.bin    sha256    ==    ${checksum}
    Save TFTP File    reports/board.bin    ${OUTPUT_DIR}/boards/report.bin
    ${printed}    Run Failing Command
    ...    busybox tftp -p -l report.bin -r reports/board.bin 10.0.2.2
    Should Contain    ${printed}    File already exists

Blocks That Are Longer Than A Packet Travel In Fragments
    [Documentation]    Both ways, with a blksize of 8192.
    ${checksum}    Board Writes Report
    Run Command    busybox tftp -b 8192 -p -l report.bin -r report.bin 10.0.2.2
    ${upload}    Wait Until File Is Received    report.bin
    Should Be Equal    ${upload.granted}[blksize]    8192
    Get TFTP File Checksum    report.bin    sha256    ==    ${checksum}
    Run Command    busybox tftp -b 8192 -g -l back.bin -r report.bin 10.0.2.2
    Wait Until File Is Downloaded    report.bin
    Run Command    cmp report.bin back.bin


*** Keywords ***
Boot Linux On A Fresh Board
    Start TFTP Server    writable=True
    Provide Linux
    Switch On Board    linux
    Run Command    setenv tftpwindowsize 16; pxe get
    Type On Console    pxe boot
    Use Prompt    board#${SPACE}
    Wait For Console    ^board#    timeout=90s
    Run Command    ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0

Provide Linux
    ${kernel}    ${initramfs}    Get Linux Files
    Upload File    ${kernel}
    Upload File    ${initramfs}
    Upload Text    ${CONFIGURATION}    pxelinux.cfg/default

Board Writes Report
    [Documentation]    Makes a file of a million octets on the board, and returns its sha256.
    Run Command    head -c 1000000 /dev/urandom >report.bin
    ${printed}    Run Command    sha256sum <report.bin
    RETURN    ${printed.split()[0]}
