*** Settings ***
Documentation    As a tester of a rack I want hundreds of boards to boot from one server at the same
...              time, each with the right octets, so that one machine with little memory can serve
...              the rack, however many files it has.

Library          Collections
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=60s
Library          equipment/machine.py
Resource         equipment/board.resource

Suite Setup      Start TFTP Server    alias=rack    max_transfers=1000

Test Tags        slow


*** Test Cases ***
A Thousand Boards Read One File
    ${file}    Create Test File    image.bin    256 KiB
    ${crowd}    Many Boards Read File    1000    image.bin    blksize=1468    windowsize=8
    All Boards Should Hold    ${crowd}    1000    ${file.sha256}
    Wait Until File Is Downloaded    image.bin    times=1000
    Get Transfer Count    image.bin    ==    1000

Five Hundred Boards Read In Lock-Step
    ${file}    Create Test File    kernel.bin    16 KiB
    ${crowd}    Many Boards Read File    500    kernel.bin
    All Boards Should Hold    ${crowd}    500    ${file.sha256}

One More Board Than Allowed Is Refused
    [Documentation]    The board gets an ERROR at once, and the other transfers go on undisturbed.
    Start TFTP Server    alias=small    max_transfers=5
    ${file}    Create Test File    image.bin    50000
    VAR    @{boards}    @{EMPTY}
    FOR    ${_}    IN RANGE    5
        ${board}    Board Starts Reading File    image.bin    pause_after=10
        Board Has Paused    ${board}
        VAR    @{boards}    @{boards}    ${board}
    END
    Board Cannot Read File    image.bin    0
    FOR    ${board}    IN    @{boards}
        Board Goes On    ${board}
        ${report}    Board Has Read File    ${board}
        Should Be Equal    ${report.sha256}    ${file.sha256}
    END
    Board Reads File    image.bin

A Server Of Five Hundred Boards Needs Little Memory
    [Documentation]    The server has a process of its own, so that only its memory counts.
    ${file}    Make Local File    ${OUTPUT DIR}/rack/image.bin    ${262144}
    ${sha256}    Get Local Checksum    ${file}
    ${server}    Start Server Process    ${OUTPUT DIR}/rack    --quiet
    Board Reads File    image.bin    host=127.0.0.1    port=${server.port}
    ${before}    Get Memory    ${server.pid}    peak=True
    ${crowd}    Many Boards Read File    500    image.bin    host=127.0.0.1    port=${server.port}
    ...    blksize=1468    windowsize=8
    ${after}    Get Memory    ${server.pid}    peak=True
    All Boards Should Hold    ${crowd}    500    ${sha256}
    Should Be True    ${after} - ${before} < 16    The peak went from ${before} to ${after} MiB.

A Request Takes As Long Where There Are Ten Thousand Files
    [Documentation]    A server that searched its folder for each request would take ten times as
    ...    long. Both are measured in turns, and the best time of each counts.
    ${few}    Start Server With Files    few    ${1}
    ${many}    Start Server With Files    many    ${10000}
    VAR    @{with_few}    @{EMPTY}
    VAR    @{with_many}    @{EMPTY}
    FOR    ${_}    IN RANGE    5
        ${duration}    Board Reads 100 Times    ${few}
        Append To List    ${with_few}    ${duration}
        ${duration}    Board Reads 100 Times    ${many}
        Append To List    ${with_many}    ${duration}
    END
    Should Be True    min($with_many) < 3 * min($with_few)
    ...    With one file ${with_few}, with many ${with_many} seconds.


*** Keywords ***
Start Server With Files
    [Documentation]    The server has a process of its own, which does not share the time of the boards.
    [Arguments]    ${folder}    ${count}
    VAR    ${root}    ${OUTPUT DIR}/rack-${folder}
    Make Local File    ${root}/wanted.txt    ${0}
    VAR    ${names}    ${{ map(str, range($count)) }}
    Evaluate    list(map(pathlib.Path.touch, map(pathlib.Path($root).joinpath, $names)))
    ${server}    Start Server Process    ${root}    --quiet
    RETURN    ${server}

Board Reads 100 Times
    [Arguments]    ${server}
    ${begun}    Evaluate    time.monotonic()
    ${seen}    Read Again And Again As Board    ${server}    wanted.txt    ${100}
    ${duration}    Evaluate    time.monotonic() - ${begun}
    Should Be Equal    ${seen}    ${{ {"": 100} }}
    RETURN    ${duration}

All Boards Should Hold
    [Arguments]    ${crowd}    ${count}    ${sha256}
    Should Be Empty    ${crowd.errors}
    Should Be Equal As Integers    ${crowd.unfinished}    0
    Should Be Equal    ${{ dict($crowd.digests) }}    ${{ {$sha256: int($count)} }}
