*** Settings ***
Documentation    As a tester whose server runs in a container I want each transfer to use one port,
...              or a range of ports that I have opened, so that boards behind a NAT boot as well.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Library          equipment/machine.py
Resource         equipment/board.resource

Test Setup       Start Server With An Image

Test Tags        smoke


*** Test Cases ***
Each Transfer Has A Port Of Its Own By Default
    ${server}    Get TFTP Server
    ${report}    Board Reads File    image.bin
    Should Not Be Equal    ${report.server_port}    ${server.port}

All Transfers Share The Port In Single-Port Mode
    [Setup]    Start Server With An Image    single_port=True    writable=True
    ${server}    Get TFTP Server
    ${report}    Board Reads File    image.bin    blksize=1468    windowsize=4    tsize=0
    Should Be Equal    ${report.server_port}    ${server.port}
    Board Should Hold File    ${report}    image.bin
    Wait Until File Is Downloaded    image.bin
    ${octets}    Random Octets    ${100000}
    ${report}    Board Writes File    upload.bin    ${octets}    windowsize=4
    Should Be Equal    ${report.server_port}    ${server.port}
    Wait Until File Is Received    upload.bin
    Get TFTP File Checksum    upload.bin    sha256    ==    ${report.sha256}

Boards Do Not Disturb Each Other On One Port
    [Setup]    Start Server With An Image    single_port=True    writable=True
    ${first}    Board Starts Reading File    image.bin    pause_after=50
    ${second}    Board Starts Reading File    image.bin    blksize=1468    windowsize=8
    ...    pause_after=50
    Board Has Paused    ${first}
    Board Has Paused    ${second}
    ${third}    Board Reads File    image.bin
    Board Should Hold File    ${third}    image.bin
    Board Goes On    ${second}
    Board Goes On    ${first}
    FOR    ${board}    IN    ${first}    ${second}
        ${report}    Board Has Read File    ${board}
        Board Should Hold File    ${report}    image.bin
    END
    Wait Until File Is Downloaded    image.bin    times=3

Losses Are Made Good On One Port
    [Setup]    Start Server With An Image    single_port=True    timeout=0.2s
    ${report}    Board Reads File    image.bin    windowsize=8    withhold_acks=8
    ...    drop_blocks=1, 11, 40-47
    Board Should Hold File    ${report}    image.bin

A Repeated Request Is No Second Transfer On One Port
    [Setup]    Start Server With An Image    single_port=True
    ${report}    Board Reads File    image.bin    repeat_request=3    blksize=1468
    Board Should Hold File    ${report}    image.bin
    Get Transfer Count    image.bin    ==    1

A Packet Of No Transfer Gets No Answer On One Port
    [Documentation]    ERROR, DATA, ACK and OACK reach the port of requests.
    [Setup]    Start Server With An Image    single_port=True
    FOR    ${octets}    IN    ${{ b'\x00\x03\x00\x01data' }}    ${{ b'\x00\x04\x00\x01' }}
    ...    ${{ b'\x00\x05\x00\x01no\x00' }}    ${{ b'\x00\x06tsize\x001\x00' }}
        ${answer}    Board Sends Octets    ${octets}    patience=0.2
        Should Be Equal    ${answer}    ${NONE}
    END

A NAT Loses Answers From Another Port
    [Documentation]    A container's network drops the answers of a server without single-port mode.
    ${nat}    Put NAT Before Server
    Run Keyword And Expect Error    DATA 1 was expected, nothing came*
    ...    Board Reads File    image.bin    host=${nat.host}    port=${nat.port}    patience=0.5
    Should Be True    ${nat.lost} > 0

A Board Behind A NAT Boots In Single-Port Mode
    [Setup]    Start Server With An Image    single_port=True    writable=True
    ${nat}    Put NAT Before Server
    ${report}    Board Reads File    image.bin    host=${nat.host}    port=${nat.port}
    ...    blksize=1468    windowsize=4
    Board Should Hold File    ${report}    image.bin
    Should Be Equal As Integers    ${nat.lost}    0
    Board Writes File    log    from behind    host=${nat.host}    port=${nat.port}
    Get TFTP File Text    log    ==    from behind

Transfers Stay In The Range Of Ports
    ${first}    Find Free Ports    ${4}
    Start Server With An Image    port_range=${first}-${first + 3}
    FOR    ${_}    IN RANGE    12
        ${report}    Board Reads File    image.bin    blksize=8192
        Should Be True    ${first} <= ${report.server_port} <= ${first + 3}
    END

A Range That Is Used Up Refuses The Next Board
    ${first}    Find Free Ports    ${2}
    Start Server With An Image    port_range=${first}-${first + 1}
    ${one}    Board Starts Reading File    image.bin    pause_after=10
    ${two}    Board Starts Reading File    image.bin    pause_after=10
    Board Has Paused    ${one}
    Board Has Paused    ${two}
    Board Cannot Read File    image.bin    0
    Board Goes On    ${one}
    Board Goes On    ${two}
    Board Has Read File    ${one}
    Board Has Read File    ${two}
    Board Reads File    image.bin


*** Keywords ***
Start Server With An Image
    [Arguments]    &{settings}
    Start TFTP Server    &{settings}
    Create Test File    image.bin    100000

Put NAT Before Server
    ${server}    Get TFTP Server
    ${nat}    Put NAT Before    ${server}
    RETURN    ${nat}
