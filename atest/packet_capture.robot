*** Settings ***
Documentation    As a tester I want the packets between my board and the server in a file for
...              Wireshark, so that I can show the board's developer what was on the wire.

Library          OperatingSystem
Library          Process
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Library          equipment/peers.py
Resource         equipment/board.resource

Suite Setup      Start Server With Boot Files


*** Variables ***
${FOUND}        ${OUTPUT DIR}/packet-capture
@{CHECKSUMS}    -o    ip.check_checksum:TRUE    -o    udp.check_checksum:TRUE
${NAME}         A_Capture_Is_Named_After_Its_Test_And_Its_Server
&{OPCODES}      RRQ=1    WRQ=2    DATA=3    ACK=4    ERROR=5    OACK=6


*** Test Cases ***
Wireshark Finds The File That A Board Read
    [Documentation]    The server sends a window in one system call; the capture still has each block.
    [Tags]    smoke
    ${capture}    Start Packet Capture
    ${report}    Board Reads File    zImage    tsize=0    blksize=1428    windowsize=16
    Wait Until File Is Downloaded    zImage
    Stop Packet Capture
    Wireshark Should Find File    ${capture}    zImage    ${report.sha256}
    Capture Should Have Packets    ${capture}    DATA=${report.blocks}    OACK=1    RRQ=1
    Every Checksum Should Be Good    ${capture}
    No Packet Should Have A Comment    ${capture}

Wireshark Finds The File That A Board Wrote
    [Tags]    smoke
    ${capture}    Start Packet Capture
    VAR    ${content}    ${{ random.Random(5).randbytes(100_000) }}
    ${report}    Board Writes File    board.log    ${content}    blksize=1428    windowsize=16
    Wait Until File Is Received    board.log
    Stop Packet Capture
    ${sha256}    Get TFTP File Checksum    board.log
    Wireshark Should Find File    ${capture}    board.log    ${sha256}
    Capture Should Have Packets    ${capture}    DATA=${report.blocks}    WRQ=1    OACK=1
    Every Checksum Should Be Good    ${capture}

Wireshark Finds The File Whatever The Server Is Like
    [Documentation]    IPv6, one port for all transfers, a wildcard address, blocks of 64 KiB.
    [Template]    File Is Read And Found
    host=::1
    single_port=True
    host=0.0.0.0
    host=::1    blksize=65464
    host=127.0.0.1    blksize=65464    windowsize=2
    host=127.0.0.1    blksize=512    windowsize=1

Packets That Were Sent Again Are Marked
    [Tags]    smoke
    ${capture}    Start Packet Capture
    Board Reads File    zImage    windowsize=4    drop_blocks=6
    ${transfer}    Wait Until File Is Downloaded    zImage
    Stop Packet Capture
    ${comments}    Fields In Capture    ${capture}    frame.comment    frame.comment
    Should Be Equal    ${comments}[0]    retransmit: DATA 6 was sent again
    Length Should Be    ${comments}    ${transfer.retransmits}

A Reader Can Tell What Was Done On Purpose From What The Board Did
    [Documentation]    What did not leave is on an interface of its own, and Wireshark still finds the file.
    [Tags]    smoke
    ${capture}    Start Packet Capture
    Inject TFTP Fault    drop    DATA 3    file=zImage    times=2
    Inject TFTP Fault    duplicate    DATA 5    file=zImage
    Inject TFTP Fault    drop    ACK 7    file=zImage
    ${port}    Get TFTP Server Port
    TFTP Get    127.0.0.1    zImage    port=${port}    windowsize=1    timeout=200ms
    Stop Packet Capture
    ${sha256}    Get TFTP File Checksum    zImage
    Wireshark Should Find File    ${capture}    zImage    ${sha256}
    Every Checksum Should Be Good    ${capture}
    ${blocks}    Blocks In Capture    ${capture}    frame.interface_name \=\= "lost on purpose"
    Should Be Equal    ${blocks}    ${{ ["3", "3"] }}
    ${blocks}    Blocks In Capture    ${capture}    frame.interface_name !\= "lost on purpose"
    Should Be Equal    ${blocks}[:6]    ${{ ["1", "2", "3", "4", "5", "5"] }}
    Comments On Faults Should End With    ${capture}
    ...    dropped DATA 3    dropped DATA 3    duplicated DATA 5    dropped ACK 7

A Request That Was Refused Is There With Its Error
    ${capture}    Start Packet Capture
    Board Cannot Read File    missing    1
    Stop Packet Capture
    Capture Should Have Packets    ${capture}    RRQ=1    ERROR=1
    ${names}    Fields In Capture    ${capture}    tftp.source_file    tftp.opcode == 1
    Should Be Equal    ${names}    ${{ ["missing"] }}

A Capture Begins And Ends In The Middle Of A Transfer
    [Tags]    smoke
    Board Starts Reading File    zImage    pause_after=10
    Board Has Paused
    ${capture}    Start Packet Capture
    Board Goes On
    ${report}    Board Has Read File
    Board Should Hold File    ${report}    zImage
    Wait Until File Is Downloaded    zImage
    Stop Packet Capture
    ${blocks}    Fields In Capture    ${capture}    tftp.block    tftp.opcode == 3
    Should Be Equal    ${blocks}    ${{ [str(block) for block in range(11, $report.blocks + 1)] }}

A Capture Ends With Its Server
    Start TFTP Server    alias=short
    ${capture}    Start Packet Capture
    Board Cannot Read File    missing    1
    Stop TFTP Server    short
    Capture Should Have Packets    ${capture}    RRQ=1    ERROR=1

A Capture Is Named After Its Test And Its Server
    ${path}    Start Packet Capture    keep=always
    Should Be Equal As Strings    ${path}    ${OUTPUT DIR}${/}${NAME}-boot.pcapng
    Start TFTP Server    alias=other
    ${path}    Start Packet Capture
    Should Be Equal As Strings    ${path}    ${OUTPUT DIR}${/}${NAME}-other.pcapng
    File Should Exist    ${path}

When A Test Has Passed Its Capture Is Removed
    [Documentation]    The capture of a failed test stays, and so does one that is always kept.
    File Should Exist    ${OUTPUT DIR}/${NAME}-boot.pcapng
    File Should Not Exist    ${OUTPUT DIR}/${NAME}-other.pcapng


*** Keywords ***
Start Server With Boot Files
    Create Directory    ${FOUND}
    Start TFTP Server    alias=boot    writable=True    overwrite=True
    Create Test File    zImage    100000

File Is Read And Found
    [Arguments]    ${blksize}=1428    ${windowsize}=16    &{settings}
    ${server}    Start TFTP Server    alias=special    &{settings}
    Create Test File    zImage    200000
    ${capture}    Start Packet Capture
    ${host}    Get TFTP Server Host    for_client=${{ "::1" if $server.host == "::1" else "127.0.0.1" }}
    ${report}    Board Reads File    zImage    host=${host}    port=${server.port}
    ...    blksize=${blksize}    windowsize=${windowsize}
    Wait Until File Is Downloaded    zImage
    Stop Packet Capture
    Wireshark Should Find File    ${capture}    zImage    ${report.sha256}
    Capture Should Have Packets    ${capture}    DATA=${report.blocks}    OACK=1    RRQ=1
    Every Checksum Should Be Good    ${capture}
    [Teardown]    Stop TFTP Server    special

Wireshark Should Find File
    [Documentation]    Does what its dialogue for TFTP objects does; it has to know the port of the server.
    [Arguments]    ${capture}    ${name}    ${sha256}
    Empty Directory    ${FOUND}
    ${ports}    Fields In Capture    ${capture}    udp.dstport    tftp.opcode in {1, 2}
    Ask Tshark    ${capture}    ${ports}[0]    -q    --export-objects    tftp,${FOUND}
    VAR    ${content}    ${{ pathlib.Path($FOUND, $name).read_bytes() }}
    Should Be Equal    ${{ hashlib.sha256($content).hexdigest() }}    ${sha256}

Capture Should Have Packets
    [Arguments]    ${capture}    &{counts}
    ${seen}    Fields In Capture    ${capture}    tftp.opcode
    FOR    ${name}    ${count}    IN    &{counts}
        Should Be Equal As Integers    ${{ $seen.count($OPCODES[$name]) }}    ${count}    ${name}
    END

Every Checksum Should Be Good
    [Documentation]    tshark shows 1 for a good checksum. The header of IPv6 has no checksum.
    [Arguments]    ${capture}
    ${udp}    Fields In Capture    ${capture}    udp.checksum.status
    Should Be Equal    ${{ set($udp) }}    ${{ {"1"} }}
    ${ip}    Fields In Capture    ${capture}    ip.checksum.status    ip
    Should Be True    set($ip) <= {"1"}

No Packet Should Have A Comment
    [Arguments]    ${capture}
    ${comments}    Fields In Capture    ${capture}    frame.comment    frame.comment
    Should Be Empty    ${comments}

Comments On Faults Should End With
    [Arguments]    ${capture}    @{ends}
    ${comments}    Fields In Capture    ${capture}    frame.comment    frame.comment contains "fault"
    FOR    ${comment}    ${end}    IN ZIP    ${comments}    ${ends}    mode=STRICT
        Should End With    ${comment}    ${end}
    END

Blocks In Capture
    [Documentation]    Returns the numbers of the DATA that a filter of Wireshark chooses.
    [Arguments]    ${capture}    ${filter}
    ${blocks}    Fields In Capture    ${capture}    tftp.block    tftp.opcode \=\= 3 and ${filter}
    RETURN    ${blocks}

Fields In Capture
    [Documentation]    Returns one field of each packet that a filter of Wireshark chooses.
    [Arguments]    ${capture}    ${field}    ${filter}=tftp
    ${lines}    Ask Tshark    ${capture}    1-65535    -Y    ${filter}    -T    fields    -e    ${field}
    RETURN    ${lines.splitlines()}

Ask Tshark
    [Documentation]    tshark recognises TFTP by port 69, so it has to be given the ports of these servers.
    [Arguments]    ${capture}    ${ports}    @{arguments}
    ${tshark}    Require Program    tshark
    ${done}    Run Process    ${tshark}    -r    ${capture}    @{CHECKSUMS}
    ...    -d    udp.port\=\=${ports},tftp    @{arguments}
    Should Be Equal As Integers    ${done.rc}    0    ${done.stderr}
    RETURN    ${done.stdout}
