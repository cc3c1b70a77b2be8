*** Settings ***
Documentation    As a tester I want to see which options my board asks for and which it is granted,
...              and to limit what the server grants, so that I find a loader that depends on
...              an option.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         equipment/board.resource

Suite Setup      Start Server With One File


*** Test Cases ***
Options Are Granted As They Were Asked
    [Documentation]    RFC 2347 to 2349, RFC 7440, and the options of tftp-hpa. The board checks
    ...    that the answer has its own order and spelling.
    [Tags]    smoke
    [Template]    Board Is Granted
    blksize=1468    blksize=1468
    blksize=8    blksize=8
    blksize=65464    blksize=65464
    tsize=0    tsize=100000
    timeout=1    timeout=1
    timeout=255    timeout=255
    windowsize=1    windowsize=1
    windowsize=16    windowsize=16
    windowsize=4 blksize=1024 timeout=5 tsize=0    windowsize=4 blksize=1024 timeout=5 tsize=100000
    BLKSIZE=1428 TSize=0    BLKSIZE=1428 TSize=100000
    rollover=0    rollover=0
    rollover=1    rollover=1
    utimeout=500000    utimeout=500000
    blksize2=1428    blksize2=1024
    tsize=0 blksize=1432    tsize=100000 blksize=1432

An Answer Longer Than A Block Is One Packet
    [Documentation]    The server sends a window of tiny blocks in one system call; the OACK must stay whole.
    [Tags]    smoke
    [Template]    Board Is Granted
    blksize=8 windowsize=2    blksize=8 windowsize=2
    windowsize=64 tsize=0 blksize=16    windowsize=64 tsize=100000 blksize=16
    timeout=5 windowsize=2 blksize=8 tsize=0    timeout=5 windowsize=2 blksize=8 tsize=100000

A Value Above The Limit Of The Server Is Lowered
    [Template]    Board Is Granted
    blksize=65465    blksize=65464
    blksize=99999999    blksize=65464
    windowsize=65535    windowsize=64

An Option That Cannot Be Used Is Left Out
    [Documentation]    The server leaves these values out, and answers the others.
    [Tags]    smoke
    [Template]    Board Is Granted
    blksize=7 tsize=0    tsize=100000
    blksize=0 tsize=0    tsize=100000
    blksize=-1 tsize=0    tsize=100000
    blksize=big tsize=0    tsize=100000
    blksize= tsize=0    tsize=100000
    windowsize=0 tsize=0    tsize=100000
    windowsize=65536 tsize=0    windowsize=64 tsize=100000
    timeout=0 tsize=0    tsize=100000
    timeout=256 tsize=0    tsize=100000
    timeout=3000 rollover=0    rollover=0
    timeout=1.5 tsize=0    tsize=100000
    tsize=x blksize=1024    blksize=1024
    rollover=2 tsize=0    tsize=100000
    multicast= blksize=1024    blksize=1024
    x-vendor=7 blksize=1024    blksize=1024
    utimeout=9 blksize=1024    blksize=1024

With Nothing To Grant DATA Comes At Once
    [Documentation]    RFC 2347: there is no OACK, as if the request had no options.
    [Tags]    smoke
    [Template]    Board Is Granted Nothing
    ${EMPTY}
    blksize=7
    multicast=
    x-vendor=7 y-vendor=8
    timeout=0

A Size That Cannot Be Known Is Left Out
    [Documentation]    In netascii the octets on the wire differ from those of the file.
    ${report}    Board Reads File    letter.txt    mode=netascii    options=tsize=0 blksize=1024
    Should Be Equal    ${report.options}    blksize=1024
    Should Be Equal    ${report.text}    one\ntwo\n

The Size Of An Empty File Is Left Out
    [Documentation]    curl refuses a tsize of 0.
    Upload Text    ${EMPTY}    empty
    ${report}    Board Reads File    empty    options=tsize=0 blksize=1024
    Should Be Equal    ${report.options}    blksize=1024
    Should Be Equal As Integers    ${report.size}    0

A Board That Writes Is Granted Options Too
    [Template]    Board Writes With Options
    blksize=1468 tsize=5000    blksize=1468 tsize=5000
    windowsize=4    windowsize=4
    TSIZE=5000 timeout=5 x-vendor=1    TSIZE=5000 timeout=5
    blksize=7    ${EMPTY}
    rollover=1 blksize=512    rollover=1 blksize=512

A Server Grants No More Than It Is Told
    [Setup]    Set TFTP Server Options    max_blksize=1024    max_windowsize=4
    [Template]    Board Is Granted
    blksize=1468 windowsize=16    blksize=1024 windowsize=4
    blksize=512 windowsize=2    blksize=512 windowsize=2
    [Teardown]    Set TFTP Server Options    max_blksize=65464    max_windowsize=64

A Server May Not Know Options
    [Documentation]    The server is an old one, to see how the loader copes with it.
    [Setup]    Set TFTP Server Options    refuse_options=windowsize, tsize
    [Template]    Board Is Granted
    blksize=1468 windowsize=16 tsize=0    blksize=1468
    WindowSize=16 blksize=1468    blksize=1468
    [Teardown]    Set TFTP Server Options    refuse_options=

A Negotiated Timeout Is Honoured As Asked
    ${report}    Board Reads File    image.bin    utimeout=400000    withhold_acks=100
    Board Should Hold File    ${report}    image.bin
    Should Be True    0.39 < $report.duration < 0.8    It took ${report.duration} s.

The Record Shows Requested And Granted Options
    [Tags]    smoke
    Board Reads File    image.bin    options=tsize=0 x-vendor=7 blksize=1468
    ${transfer}    Wait Until File Is Downloaded    image.bin
    Should Be Equal    ${{ dict($transfer.requested) }}
    ...    ${{ {"tsize": "0", "x-vendor": "7", "blksize": "1468"} }}
    Should Be Equal    ${{ dict($transfer.granted) }}    ${{ {"tsize": "100000", "blksize": "1468"} }}


*** Keywords ***
Start Server With One File
    Start TFTP Server    alias=options    writable=True    overwrite=True
    Create Test File    image.bin    100000
    Upload Text    one\ntwo\n    letter.txt

Board Is Granted
    [Arguments]    ${asked}    ${granted}
    ${report}    Board Reads File    image.bin    options=${asked}
    Should Be Equal    ${report.options}    ${granted}
    Board Should Hold File    ${report}    image.bin

Board Is Granted Nothing
    [Arguments]    ${asked}
    ${report}    Board Reads File    image.bin    options=${asked}
    Should Be Equal    ${report.options}    ${EMPTY}
    Should Not Contain    ${report.received}    OACK
    Should Be Equal As Integers    ${report.blocks}    196

Board Writes With Options
    [Arguments]    ${asked}    ${granted}
    ${octets}    Random Octets    ${5000}
    ${report}    Board Writes File    upload.bin    ${octets}    options=${asked}
    Should Be Equal    ${report.options}    ${granted}
    Get TFTP File Checksum    upload.bin    sha256    ==    ${report.sha256}
