*** Settings ***
Documentation    As a tester of a rack I want hundreds of boards to boot at the same time from one
...              server, each with the right octets, and without the server eating up the memory
...              of the test bench.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=60s
Library          ../resources/machine.py
Resource         ../resources/board.resource

Suite Setup      Start TFTP Server    alias=rack    max_transfers=500

Test Tags        slow


*** Test Cases ***
Five Hundred Boards Read One File
    ${file}    Create Test File    image.bin    256 KiB
    ${crowd}    Many Boards Read File    500    image.bin    blksize=1468    windowsize=8
    All Boards Should Hold    ${crowd}    500    ${file.sha256}
    Wait Until File Is Downloaded    image.bin    times=500
    Get Transfer Count    image.bin    ==    500

Five Hundred Boards Read In Lock-Step
    ${file}    Create Test File    kernel.bin    16 KiB
    ${crowd}    Many Boards Read File    500    kernel.bin
    All Boards Should Hold    ${crowd}    500    ${file.sha256}

One More Board Than Allowed Is Refused
    [Documentation]    It gets an ERROR at once; those that are served are not disturbed.
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
    [Documentation]    In a process of its own, whose memory is that of the server alone.
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


*** Keywords ***
All Boards Should Hold
    [Arguments]    ${crowd}    ${count}    ${sha256}
    Should Be Empty    ${crowd.errors}
    Should Be Equal As Integers    ${crowd.unfinished}    0
    Should Be Equal    ${{ dict($crowd.digests) }}    ${{ {$sha256: int($count)} }}
