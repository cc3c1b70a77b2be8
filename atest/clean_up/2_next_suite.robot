*** Settings ***
Documentation    As a tester I want a suite to begin as if no other had run before it.

Library          TftpLibrary    host=127.0.0.1    port=0
Resource         ../equipment/board.resource


*** Test Cases ***
The Servers Of The Suite Before Are Gone
    [Tags]    smoke
    TFTP Server Should Not Be Running    of the suite
    TFTP Server Should Not Be Running    of another test
    ${server}    Get TFTP Server
    Should Be Equal    ${server.alias}    for all suites

Its Transfers Are Gone Too
    Run Keyword And Expect Error    No TFTP server 'of the suite'. Running: for all suites.
    ...    Get Transfers    server=of the suite    since=0
    Start TFTP Server    alias=of the suite
    List Files    *    ==    ${EMPTY}
    Board Cannot Read File    greeting.txt    1
    Get Transfer Count    *    ==    1

A Server Without Alias Is The First One Again
    ${server}    Start TFTP Server
    Should Be Equal    ${server.alias}    tftp-1
