*** Settings ***
Documentation    As a tester I want my server to work with every TFTP client, and my client with every
...              TFTP server, so that they work with the boards that have one of these inside.

Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=30s
Library          equipment/machine.py
Library          equipment/other_programs.py

Suite Setup      Make Files Of Every Size
Test Timeout     2 minutes

Test Tags        interop


*** Variables ***
${BASE}     ${OUTPUT DIR}/other-implementations
&{SIZES}    empty=${0}    octet=${1}    block=${512}    mega=${1048576}    big=${41943040}


*** Test Cases ***
Curl Gets And Puts Files Of Every Size
    Client Gets Every File    curl
    Client Puts Every File    curl

Tftp-hpa Gets And Puts Files Of Every Size
    Client Gets Every File    tftp-hpa
    Client Puts Every File    tftp-hpa

Atftp Gets And Puts Files Of Every Size
    Client Gets Every File    atftp
    Client Puts Every File    atftp

Atftp Gets And Puts Files In Windows
    Client Gets Every File    atftp with windows
    Client Puts Every File    atftp with windows

Busybox Gets And Puts Files Of Every Size
    Client Gets Every File    busybox
    Client Puts Every File    busybox

Pytftp Gets And Puts Files Of Every Size
    Client Gets Every File    pytftp
    Client Puts Every File    pytftp

Pytftp Gets And Puts Files In Windows
    Client Gets Every File    pytftp with windows
    Client Puts Every File    pytftp with windows

Other Clients Show That A File Is Missing
    [Documentation]    The client prints the text of our ERROR packet. tftp-hpa ends with status 0.
    [Tags]    smoke
    [Template]    Client Shows That The File Is Missing
    curl    curl: (68)
    tftp-hpa    File not found
    atftp    File not found
    busybox    File not found
    pytftp    File not found

Our Client Gets On With Tftpd-hpa
    [Tags]    needs-root
    Our Client Gets And Puts Every File    tftpd-hpa

Our Client Gets On With Atftpd
    Our Client Gets And Puts Every File    atftpd

Our Client Gets On With Pytftp
    Our Client Gets And Puts Every File    pytftp


*** Keywords ***
Make Files Of Every Size
    Remove Directory    ${BASE}    recursive=True
    Create Directory    ${BASE}/got
    FOR    ${name}    ${size}    IN    &{SIZES}
        Make Local File    ${BASE}/files/${name}    ${size}
    END
    Start TFTP Server    ${BASE}/files    alias=ours    writable=True

Client Gets Every File
    [Arguments]    ${client}
    ${port}    Get TFTP Server Port
    FOR    ${name}    IN    @{SIZES}
        ${printed}    Client Gets File    ${client}    127.0.0.1    ${port}    ${name}
        ...    ${BASE}/got/${name}
        Files Should Be The Same    ${BASE}/got/${name}    ${BASE}/files/${name}    ${printed}
        ${transfer}    Wait Until File Is Downloaded    ${name}
        Should Be Equal As Integers    ${transfer.octets}    ${SIZES}[${name}]
    END

Client Puts Every File
    [Arguments]    ${client}
    ${port}    Get TFTP Server Port
    FOR    ${name}    IN    @{SIZES}
        ${printed}    Client Puts File    ${client}    127.0.0.1    ${port}    put-${name}
        ...    ${BASE}/files/${name}
        Wait Until File Is Received    put-${name}
        Files Should Be The Same    ${BASE}/files/put-${name}    ${BASE}/files/${name}    ${printed}
        Delete File    put-${name}
    END

Files Should Be The Same
    [Arguments]    ${file}    ${other}    ${printed}
    ${got}    Get Local Checksum    ${file}
    ${wanted}    Get Local Checksum    ${other}
    Should Be Equal    ${got}    ${wanted}    '${file}' has other octets.\n${printed}

Client Shows That The File Is Missing
    [Arguments]    ${client}    ${text}
    ${port}    Get TFTP Server Port
    ${printed}    Client Cannot Get File    ${client}    127.0.0.1    ${port}    missing.bin
    ...    ${BASE}/got/missing.bin
    Should Contain    ${printed}    ${text}    ignore_case=True
    Get Transfer Count    missing.bin    >=    1    outcome=refused

Our Client Gets And Puts Every File
    [Documentation]    A file that is missing on the server leaves no file here.
    [Arguments]    ${daemon}
    FOR    ${name}    IN    @{SIZES}
        Copy File    ${BASE}/files/${name}    ${BASE}/${daemon}/${name}
    END
    ${there}    Start Daemon    ${daemon}    ${BASE}/${daemon}
    FOR    ${name}    IN    @{SIZES}
        Our Client Gets File    ${there}    ${name}
        Our Client Puts File    ${there}    ${name}    ${BASE}/${daemon}
    END
    Run Keyword And Expect Error    *(TFTP error 1) from 127.0.0.1:${there.port} for 'missing.bin'*
    ...    TFTP Get    ${there.host}    missing.bin    ${BASE}/missing.bin    port=${there.port}
    File Should Not Exist    ${BASE}/missing.bin

Our Client Gets File
    [Documentation]    First in blocks of 512 without windows, then with all options of our client.
    [Arguments]    ${there}    ${name}
    VAR    ${got}    ${BASE}/fetched-${name}
    TFTP Get    ${there.host}    ${name}    ${got}    port=${there.port}    blksize=512
    ...    windowsize=1
    Files Should Be The Same    ${got}    ${BASE}/files/${name}    in blocks of 512
    TFTP Get    ${there.host}    ${name}    ${got}    port=${there.port}
    Files Should Be The Same    ${got}    ${BASE}/files/${name}    with options

Our Client Puts File
    [Arguments]    ${there}    ${name}    ${folder}
    TFTP Put    ${BASE}/files/${name}    ${there.host}    put-${name}    port=${there.port}
    Wait Until Keyword Succeeds    5s    0.1s
    ...    Files Should Be The Same    ${folder}/put-${name}    ${BASE}/files/${name}
    ...    put to ${there.port}
