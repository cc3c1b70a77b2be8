*** Settings ***
Documentation    As a tester I want a server to stop with the test or the suite that started it.

Library          TftpLibrary    host=127.0.0.1    port=0
Resource         ../equipment/board.resource

Suite Setup      Start Server Of The Suite


*** Test Cases ***
A Server Of The Suite Serves Its Tests
    [Tags]    smoke
    Board Reads File    greeting.txt    server=of the suite
    Get Transfer Count    greeting.txt    ==    1    server=of the suite

A Test Sees Neither The Transfers Nor The Servers Of Another
    [Tags]    smoke
    Get Transfer Count    greeting.txt    ==    0    server=of the suite
    Start TFTP Server    alias=of the test
    Switch TFTP Server    for all suites

A Test Finds What Its Suite Left It
    TFTP Server Should Not Be Running    of the test
    ${server}    Get TFTP Server
    Should Be Equal    ${server.alias}    of the suite
    TFTP Server Should Be Running    for all suites

A Port Is Free Again When The Test Ends
    ${server}    Start TFTP Server    alias=of the test
    VAR    ${PORT}    ${server.port}    scope=SUITE    # robocop: off=VAR05
    Create Test File    image.bin    100 kB
    ${board}    Board Starts Reading File    image.bin    pause_after=5
    Board Has Paused    ${board}

Another Test Takes The Port
    Start TFTP Server    alias=of another test    port=${PORT}


*** Keywords ***
Start Server Of The Suite
    Start TFTP Server    alias=of the suite
    Upload Text    hello    greeting.txt
