*** Settings ***
Documentation    As a tester I want several TFTP servers in one suite, each with its own files and
...              settings, so that I can test two boards or two releases side by side.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         equipment/board.resource

Suite Setup      Start Two Servers


*** Test Cases ***
Each Server Has Its Own Files
    [Tags]    smoke
    ${report}    Board Reads File    version    server=old
    Should Be Equal    ${report.text}    1.0
    ${report}    Board Reads File    version    server=new
    Should Be Equal    ${report.text}    2.0
    Board Cannot Read File    only-here    1    server=new
    Board Reads File    only-here    server=old

Each Server Has Its Own Address
    ${old}    Get TFTP Server    old
    ${new}    Get TFTP Server    new
    Should Not Be Equal    ${old.port}    ${new.port}
    Should Not Be Equal    ${old.root}    ${new.root}

Each Server Has Its Own Settings
    Board Cannot Write File    log    text    2    server=old
    Board Writes File    log    text    server=new
    Wait Until File Is Received    log    server=new
    TFTP File Should Exist    log    server=new
    TFTP File Should Not Exist    log    server=old

Each Server Has Its Own Record
    [Tags]    smoke
    Board Reads File    version    server=old
    Board Reads File    version    server=old
    Board Reads File    version    server=new
    Wait Until File Is Downloaded    version    times=2    server=old
    Get Transfer Count    version    ==    2    server=old
    Get Transfer Count    version    ==    1    server=new

The Server That Was Started Last Is The Active One
    [Tags]    smoke
    ${report}    Board Reads File    version
    Should Be Equal    ${report.text}    2.0
    ${previous}    Switch TFTP Server    old
    Should Be Equal    ${previous}    new
    ${report}    Board Reads File    version
    Should Be Equal    ${report.text}    1.0

The Active Server Is Switched Back After A Test
    ${server}    Get TFTP Server
    Should Be Equal    ${server.alias}    new

A Server Stops With The Test That Started It
    Start TFTP Server    alias=guest
    Upload Text    visiting    version
    ${report}    Board Reads File    version
    Should Be Equal    ${report.text}    visiting

The Others Go On After It
    TFTP Server Should Not Be Running    guest
    ${report}    Board Reads File    version
    Should Be Equal    ${report.text}    2.0

Stopping One Server Leaves The Transfers Of Another
    Create Test File    image.bin    100000    server=old
    ${board}    Board Starts Reading File    image.bin    server=old    pause_after=50
    Board Has Paused    ${board}
    Start TFTP Server    alias=guest
    Stop TFTP Server    guest
    Board Goes On    ${board}
    ${report}    Board Has Read File    ${board}
    Board Should Hold File    ${report}    image.bin    server=old

Boards Read From Both At Once
    Create Test File    image.bin    300000    server=old    seed=1
    Create Test File    image.bin    300000    server=new    seed=2
    ${first}    Board Starts Reading File    image.bin    server=old    windowsize=4
    ${second}    Board Starts Reading File    image.bin    server=new    windowsize=4
    ${report}    Board Has Read File    ${first}
    Board Should Hold File    ${report}    image.bin    server=old
    ${report}    Board Has Read File    ${second}
    Board Should Hold File    ${report}    image.bin    server=new

A File For One Board Only
    [Documentation]    Two boards ask for the same name, and each gets a file of its own.
    Upload Text    for all    config    server=new
    Upload Text    for one    config    only_for=127.0.0.2    server=new
    ${report}    Board Reads File    config    local_host=127.0.0.2
    Should Be Equal    ${report.text}    for one
    ${report}    Board Reads File    config    local_host=127.0.0.3
    Should Be Equal    ${report.text}    for all


*** Keywords ***
Start Two Servers
    Start TFTP Server    alias=old
    Upload Text    1.0    version
    Upload Text    here    only-here
    Start TFTP Server    alias=new    writable=True
    Upload Text    2.0    version
