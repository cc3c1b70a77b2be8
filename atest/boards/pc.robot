*** Settings ***
Documentation    As a tester I want PCs to boot over the network from our server, with iPXE in the
...              ROM of the card or with UEFI and GRUB, so that what their firmware does on the way
...              is no false alarm.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=30s
Resource         boards.resource

Suite Setup      Start Server


*** Variables ***
${GRUB}      /usr/lib/grub/x86_64-efi
${SCRIPT}    SEPARATOR=\n
...          \#!ipxe
...          imgfetch tftp://\${next-server}/image.bin
...          imgstat
...          imgfetch tftp://\${next-server}/missing.bin ||
...          echo iPXE has loaded all
...          shell


*** Test Cases ***
IPXE Loads Its Script And The Files That It Names
    [Documentation]    The card's ROM asks DHCP, loads a script, and the script loads an image.
    Require Board    pc
    Upload Text    ${SCRIPT}    boot.ipxe
    Switch On PC    pc    boot_file=boot.ipxe
    Wait For Console    ^image\.bin : 1048576 bytes
    Wait For Console    ^iPXE has loaded all
    Wait Until File Is Downloaded    boot.ipxe
    ${transfer}    Wait Until File Is Downloaded    image.bin    client=127.0.0.11
    Should Be Equal    ${transfer.requested}    ${{ {'blksize': '1432', 'tsize': '0'} }}
    Get Transfer Count    missing.bin    ==    1    outcome=refused

UEFI Boots GRUB, And GRUB Loads An Image
    [Documentation]    The firmware asks for the size first and ends that with ERROR 8: that is a
    ...    probe, and no failure. GRUB's names begin with a slash.
    Require Board    uefi
    Upload File    ${GRUB}/monolithic/grubnetx64.efi
    Upload Text    sha256sum (tftp)/image.bin\necho GRUB has loaded all    grub/grub.cfg
    FOR    ${module}    IN    command.lst    crypto.lst    moddep.lst    hashsum.mod    gcry_sha256.mod
        Upload File    ${GRUB}/${module}    grub/x86_64-efi/${module}
    END
    ${image}    Get TFTP File    image.bin
    Switch On PC    uefi    boot_file=grubnetx64.efi
    ${probe}    ${download}    Wait Until Firmware Has Loaded    grubnetx64.efi
    Should Be Equal    ${probe.outcome}    probed
    Should Be Equal As Integers    ${probe.error_code}    8
    Should Be Equal    ${download.outcome}    completed
    Wait For Console    ^${image.sha256}
    Wait For Console    ^GRUB has loaded all
    ${transfer}    Wait Until File Is Downloaded    grub/grub.cfg
    Should Be Equal    ${transfer.filename}    /grub/grub.cfg
    Wait Until File Is Downloaded    image.bin
    Get Transfer Count    *    ==    0    outcome=failed


*** Keywords ***
Start Server
    Start TFTP Server
    Create Test File    image.bin    1 MiB

Wait Until Firmware Has Loaded
    [Arguments]    ${name}
    Wait Until File Is Downloaded    ${name}
    ${transfers}    Get Transfers    ${name}
    Length Should Be    ${transfers}    2
    RETURN    ${transfers}
