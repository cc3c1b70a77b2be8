*** Settings ***
Documentation    As a tester I want to fetch files from a board that is a TFTP server, and to store files on it,
...              so that I can test boot loaders and network gear that have a server.

Library          OperatingSystem
Library          TftpLibrary
Resource         equipment/board.resource


*** Test Cases ***
The Configuration Of A Router Is Fetched
    [Tags]    smoke
    ${router}    Board Serves File    running-config    hostname router-7
    ${transfer}    TFTP Get    ${router.host}    running-config    ${OUTPUT DIR}/r7.cfg    port=${router.port}
    Should Be Equal As Integers    ${transfer.octets}    17
    ${text}    Get File    ${OUTPUT DIR}/r7.cfg
    Should Be Equal    ${text}    hostname router-7

Without A Destination A File Goes To The Results
    ${router}    Board Serves File    backup/startup-config    hostname router-7
    TFTP Get    ${router.host}    backup/startup-config    port=${router.port}
    File Should Exist    ${OUTPUT DIR}/startup-config

Firmware Is Stored On A Board
    [Tags]    smoke
    Create File    ${OUTPUT DIR}/firmware.bin    firmware
    ${board}    Board Takes File    firmware.bin
    TFTP Put    ${OUTPUT DIR}/firmware.bin    ${board.host}    port=${board.port}
    ${report}    Board Has Served File    ${board}
    Should Be Equal    ${report.text}    firmware

A Boot Loader That Opens TFTP Later Is Waited For
    ${board}    Board Takes File    firmware.bin    ignore_requests=3
    Create File    ${OUTPUT DIR}/firmware.bin    firmware
    TFTP Put    ${OUTPUT DIR}/firmware.bin    ${board.host}    port=${board.port}
    ...    timeout=200ms    retries=1    wait=30s
    Board Has Served File    ${board}

A Board Without Options Is Served As Well
    ${content}    Random Octets    ${5000}
    ${board}    Board Serves File    image.bin    ${content}    no_oack=True
    ${transfer}    TFTP Get    ${board.host}    image.bin    ${OUTPUT DIR}    port=${board.port}
    Should Be Equal As Integers    ${transfer.octets}    5000
    Should Be Empty    ${transfer.granted}

An Error Of The Board Is Shown With Its Number
    ${board}    Board Serves File    image.bin    content
    Run Keyword And Expect Error    File not found (TFTP error 1) from ${board.host}:${board.port} for 'x'*
    ...    TFTP Get    ${board.host}    x    ${OUTPUT DIR}/x    port=${board.port}
    File Should Not Exist    ${OUTPUT DIR}/x

A Board That Grants More Than Was Asked Is Refused
    ${board}    Board Serves File    image.bin    content    grant=blksize=2000
    Run Keyword And Expect Error    *blksize*
    ...    TFTP Get    ${board.host}    image.bin    ${OUTPUT DIR}/granted    port=${board.port}    blksize=1024
    File Should Not Exist    ${OUTPUT DIR}/granted

A Part Of A File Is Never Left
    ${content}    Random Octets    ${50000}
    Create File    ${OUTPUT DIR}/kept.bin    the old one
    ${board}    Board Serves File    image.bin    ${content}    stop_after=5    stop_with=silence
    Run Keyword And Expect Error    No answer from ${board.host}:${board.port} for 'image.bin'*
    ...    TFTP Get    ${board.host}    image.bin    ${OUTPUT DIR}/kept.bin    port=${board.port}
    ...    timeout=50ms    retries=2
    ${text}    Get File    ${OUTPUT DIR}/kept.bin
    Should Be Equal    ${text}    the old one
