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

Two Boards At One Port Boot Their Own
    [Documentation]    Boards ask port 69, and cannot be told another one. Servers that name different
    ...    clients share it.
    [Tags]    smoke
    ${port}    Start Servers At One Port    127.0.0.2    127.0.0.3
    Upload Text    kernel of the left board    zImage    server=left
    Upload Text    kernel of the right board    zImage    server=right
    Board At Port Should Get    ${port}    127.0.0.2    kernel of the left board
    Board At Port Should Get    ${port}    127.0.0.3    kernel of the right board
    Wait Until File Is Downloaded    zImage    server=left
    Wait Until File Is Downloaded    zImage    server=right
    Get Transfer Count    zImage    ==    1    server=left
    Get Transfer Count    zImage    ==    0    client=127.0.0.3    server=left

Each Server At A Port Has Its Own Rights
    Start Servers At One Port    127.0.0.2    127.0.0.3
    Set TFTP Server Options    server=left    writable=True
    Board Writes File    log    text    server=left    local_host=127.0.0.2
    Board Cannot Write File    log    text    2    server=left    local_host=127.0.0.3
    TFTP File Should Exist    log    server=left
    TFTP File Should Not Exist    log    server=right

A Server Without Clients Serves The Rest
    ${port}    Start Servers At One Port    127.0.0.2    ${EMPTY}
    Upload Text    for the rest    zImage    server=right
    Board At Port Should Get    ${port}    127.0.0.77    for the rest
    Stop TFTP Server    right
    Board Cannot Read File    zImage    2    server=left    local_host=127.0.0.77
    Run Keyword And Expect Error    *client 127.0.0.77 is not served, only 127.0.0.2*Name the board in clients=*
    ...    Wait Until File Is Downloaded    zImage    0s    server=left

The Alias Of A Server Is That Of Its Board
    [Documentation]    The last server is the active one; the alias names the server too.
    ${port}    Start Servers At One Port    127.0.0.2    127.0.0.3
    Upload Text    for the left board    zImage    only_for=left
    Board At Port Should Get    ${port}    127.0.0.2    for the left board
    ${transfer}    Wait Until File Is Downloaded    zImage    client=left
    Should Be Equal    ${transfer.client}    127.0.0.2
    Get Transfer Count    zImage    ==    0    client=right
    Get TFTP File Text    zImage    ==    for the left board    client=left
    Run Keyword And Expect Error    client='middle' is neither *. Such servers: left, right.
    ...    Get Transfers    client=middle

A Board Has One Server At A Port
    ${port}    Start Servers At One Port    127.0.0.2    127.0.0.3
    VAR    ${taken}    clients=127.0.0.3 is served by the TFTP server 'right'
    Run Keyword And Expect Error    Cannot start the TFTP server 'third' *: ${taken}*
    ...    Start TFTP Server    alias=third    port=${port}    clients=127.0.0.3
    Run Keyword And Expect Error    Cannot change clients= of 'left': *by the TFTP server 'right'*
    ...    Set TFTP Server Options    server=left    clients=127.0.0.3, 127.0.0.4
    Stop TFTP Server    right
    Set TFTP Server Options    server=left    clients=127.0.0.0/8


*** Keywords ***
Start Servers At One Port
    [Documentation]    Starts 'left' and 'right' at one port, each with its own clients.
    [Arguments]    ${left_clients}    ${right_clients}
    ${left}    Start TFTP Server    alias=left    clients=${left_clients}
    ${right}    Start TFTP Server    alias=right    port=${left.port}    clients=${right_clients}
    Should Be Equal    ${left.url}    ${right.url}
    RETURN    ${left.port}

Board At Port Should Get
    [Documentation]    A board with this address asks the port for zImage.
    [Arguments]    ${port}    ${address}    ${text}
    ${report}    Board Reads File    zImage    host=127.0.0.1    port=${port}    local_host=${address}
    Should Be Equal    ${report.text}    ${text}

Start Two Servers
    Start TFTP Server    alias=old
    Upload Text    1.0    version
    Upload Text    here    only-here
    Start TFTP Server    alias=new    writable=True
    Upload Text    2.0    version
