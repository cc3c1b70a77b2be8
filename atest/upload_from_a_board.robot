*** Settings ***
Documentation    As a tester I want to receive the files that my board uploads, its configuration or its
...              log, and to decide what it may write, so that no board can spoil the files of another.

Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         equipment/board.resource

Test Setup       Start TFTP Server    alias=upload    writable=True


*** Test Cases ***
A Switch Saves Its Configuration
    [Tags]    smoke
    Board Writes File    startup-config    hostname switch-7\n
    ${transfer}    Wait Until File Is Received    startup-config    min_size=1
    Should Be Equal    ${transfer.direction}    write
    Should Be Equal As Integers    ${transfer.octets}    18
    Get TFTP File Text    startup-config    ==    hostname switch-7\n
    ${path}    Save TFTP File    startup-config    ${OUTPUT DIR}/startup-config
    File Should Exist    ${path}

Files Of Every Size Arrive
    [Tags]    smoke
    [Template]    Board Uploads Octets
    0
    1
    511
    512
    513
    1024
    100000
    0    blksize=1468    tsize=0
    1468    blksize=1468    tsize=1468
    100000    blksize=1468    windowsize=4    tsize=100000
    100000    blksize=8    windowsize=64
    300000    blksize=65464    windowsize=2

A File In A New Folder Is Taken
    Board Writes File    /logs/2026/boot.log    it works\n
    Wait Until File Is Received    logs/2026/boot.log
    Get TFTP File Text    logs/2026/boot.log    contains    works

Text Is Translated On Its Way
    [Documentation]    In netascii a line ends with CR LF on the wire, in the store with LF.
    Board Writes File    notes.txt    one\ntwo\n    mode=netascii
    Wait Until File Is Received    notes.txt
    Get TFTP File Text    notes.txt    ==    one\ntwo\n

A Slow Board Is Waited For
    ${octets}    Random Octets    ${50000}
    Board Starts Writing File    slow.bin    ${octets}    pause_after=50
    Board Has Paused
    ${files}    List Files
    Should Be Empty    ${files}    A part of an upload is visible.
    Board Goes On
    Wait Until File Is Received    slow.bin    min_size=50000
    Board Has Written File

Lost And Repeated Packets Leave The File Whole
    [Setup]    Start TFTP Server    alias=upload    writable=True    overwrite=True    timeout=0.2s
    [Template]    Board Uploads Octets
    20000    drop_blocks=1, 20, 40
    20000    drop_blocks=2, 3, 11    windowsize=4
    20000    drop_blocks=4, 8    windowsize=4
    20000    duplicate_data=True
    20000    duplicate_data=True    windowsize=4
    20000    repeat_request=3
    20000    repeat_request=3    blksize=1468

The Last ACK Is Sent Again
    [Documentation]    RFC 1350, section 6: the sender of the last ACK stays a while, since this ACK may get lost.
    Board Writes File    log.txt    a few words    repeat_last_data=True
    Wait Until File Is Received    log.txt
    Get Transfer Count    log.txt    ==    1

A Stranger Cannot Write Into An Upload
    ${octets}    Random Octets    ${20000}
    Board Writes File    image.bin    ${octets}    stranger_after=10
    Wait Until File Is Received    image.bin
    Get TFTP File Checksum    image.bin    sha256    ==    ${{ hashlib.sha256($octets).hexdigest() }}

A Partial Upload Is Never Visible
    [Template]    Board Breaks Its Upload Off
    error
    vanish
    silence

A Partial Upload Leaves The Old File
    [Tags]    smoke
    Set TFTP Server Options    overwrite=True    timeout=0.1s    retries=1
    Upload Text    the old one    config.txt
    ${octets}    Random Octets    ${20000}
    Board Writes File    config.txt    ${octets}    stop_after=10    stop_with=error
    Board Writes File    config.txt    ${octets}    stop_after=10    stop_with=listen
    Get TFTP File Text    config.txt    ==    the old one
    Get Transfer Count    config.txt    ==    0    outcome=completed

A Read-Only Server Refuses
    [Tags]    smoke
    Set TFTP Server Options    writable=False
    Board Cannot Write File    config.txt    new    2
    TFTP File Should Not Exist    config.txt
    ${transfers}    Get Transfers    config.txt
    Should Be Equal    ${transfers[0].outcome}    refused
    Should Be Equal As Integers    ${transfers[0].error_code}    2

A File That Exists Is Not Replaced Without Permission
    [Tags]    smoke
    Upload Text    the old one    config.txt
    Board Cannot Write File    config.txt    new    6
    Get TFTP File Text    config.txt    ==    the old one
    Set TFTP Server Options    overwrite=True
    Board Writes File    config.txt    new
    Wait Until File Is Received    config.txt
    Get TFTP File Text    config.txt    ==    new

A New Name Is Not Taken Without Permission
    Set TFTP Server Options    create=False    overwrite=True
    Upload Text    the old one    config.txt
    Board Cannot Write File    other.txt    new    1
    Board Writes File    config.txt    new
    ${files}    List Files
    Should Be Equal    ${files}    ${{ ['config.txt'] }}

An Upload That Is Too Large Is Refused
    [Documentation]    The server refuses at once if the board sends the size, otherwise when the limit is passed.
    [Tags]    smoke
    Set TFTP Server Options    max_upload_size=10 kB    overwrite=True
    Upload Text    the old one    config.txt
    ${octets}    Random Octets    ${10001}
    Board Cannot Write File    config.txt    ${octets}    3    tsize=10001
    Board Cannot Write File    config.txt    ${octets}    3
    Board Cannot Write File    config.txt    ${octets}    3    windowsize=4    blksize=1468
    Get TFTP File Text    config.txt    ==    the old one
    Board Writes File    config.txt    ${octets[:-1]}    tsize=10000
    Wait Until File Is Received    config.txt    min_size=10000

Two Boards Write The Same Name
    [Documentation]    Each upload is whole; the second one needs permission to replace the first.
    ${first}    Board Starts Writing File    log.txt    ${{ 'a' * 5000 }}    pause_after=5
    Board Has Paused
    Board Writes File    log.txt    ${{ 'b' * 5000 }}
    Board Goes On    ${first}
    Run Keyword And Expect Error    ERROR 6 *    Board Has Written File    ${first}
    Get TFTP File Text    log.txt    ==    ${{ 'b' * 5000 }}

A Board Reads A File That Another Board Wrote
    Board Writes File    shared/key    secret of two boards
    Wait Until File Is Received    shared/key
    ${report}    Board Reads File    shared/key    local_host=127.0.0.2
    Should Be Equal    ${report.text}    secret of two boards


*** Keywords ***
Board Uploads Octets
    [Arguments]    ${size}    &{how}
    Set TFTP Server Options    overwrite=True
    ${octets}    Random Octets    ${size}
    VAR    ${name}    image-${size}.bin
    Board Writes File    ${name}    ${octets}    &{how}
    Wait Until File Is Received    ${name}    min_size=${size}
    Get TFTP File Size    ${name}    ==    ${size}
    Get TFTP File Checksum    ${name}    sha256    ==    ${{ hashlib.sha256($octets).hexdigest() }}

Board Breaks Its Upload Off
    [Arguments]    ${how}
    Set TFTP Server Options    timeout=0.1s    retries=1
    ${octets}    Random Octets    ${20000}
    Board Writes File    partial.bin    ${octets}    stop_after=10    stop_with=${how}
    Run Keyword And Expect Error    *partial.bin*    Wait Until File Is Received    partial.bin    0.4s
    ${files}    List Files
    Should Be Empty    ${files}
    ${server}    Get TFTP Server
    Wait Until Keyword Succeeds    2s    0.1s    Directory Should Be Empty    ${server.root}
