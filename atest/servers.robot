*** Settings ***
Documentation    As a tester I want the suite to start the TFTP servers that my boards need, with my address and
...              settings, so that nobody has to prepare a machine, and a mistake fails at once.

Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0
Resource         equipment/board.resource


*** Variables ***
${A WORD}    tftp


*** Test Cases ***
A Board Is Served As Soon As The Server Is Started
    [Tags]    smoke
    ${server}    Start TFTP Server
    Upload Text    LABEL linux    pxelinux.cfg/default
    ${report}    Board Reads File    pxelinux.cfg/default
    Should Be Equal    ${report.text}    LABEL linux
    Should Be Equal    ${server.url}    tftp://127.0.0.1:${server.port}/

A Folder That Is There Is Served
    VAR    ${root}    ${OUTPUT DIR}/served
    Create File    ${root}/boot/zImage    kernel
    Start TFTP Server    ${root}
    ${report}    Board Reads File    boot/zImage
    Should Be Equal    ${report.text}    kernel

Two Boards Have Servers Of Their Own
    [Tags]    smoke
    Start TFTP Server    alias=left
    Start TFTP Server    alias=right
    Upload Text    for the left    name.txt    server=left
    Upload Text    for the right    name.txt    server=right
    ${left}    Board Reads File    name.txt    server=left
    ${right}    Board Reads File    name.txt    server=right
    Should Be Equal    ${left.text}    for the left
    Should Be Equal    ${right.text}    for the right
    Get Transfer Count    name.txt    ==    1    server=left
    Get Transfer Count    name.txt    ==    1    server=right

Keywords Mean The Active Server
    Start TFTP Server    alias=left
    Start TFTP Server    alias=right
    ${previous}    Switch TFTP Server    left
    Should Be Equal    ${previous}    right
    Upload Text    hello    greeting.txt
    TFTP File Should Exist    greeting.txt    server=left
    TFTP File Should Not Exist    greeting.txt    server=right
    Stop TFTP Server
    ${server}    Get TFTP Server
    Should Be Equal    ${server.alias}    right

All Servers Are Described
    Start TFTP Server    alias=left
    Start TFTP Server    alias=right
    VAR    @{aliases}    right    left
    ${servers}    Get TFTP Servers    ==    ${aliases}
    Should Be Equal    ${servers[0].alias}    left
    Get TFTP Servers    validate    len(value) == 2
    ${count}    Get TFTP Servers    then    len(value)
    Should Be Equal    ${count}    ${2}
    Run Keyword And Expect Error    TFTP servers '?'left', 'right'?' (list) should contain 'middle' (str)
    ...    Get TFTP Servers    contains    middle

Starting The Same Server Again Is A Warning
    ${first}    Start TFTP Server    alias=dut    writable=True
    ${again}    Start TFTP Server    alias=dut    writable=True
    Should Be Equal    ${again}    ${first}

An Alias Is Given Once
    ${server}    Start TFTP Server    alias=dut
    VAR    ${message}
    ...    A TFTP server 'dut' with other settings runs at ${server.url}.
    ...    Stop it first, or give the new one another alias.
    Run Keyword And Expect Error    ${message}    Start TFTP Server    alias=dut    writable=True

A Board Is Told When Its Server Stops
    Start TFTP Server
    Create Test File    zImage    100 kB
    ${board}    Board Starts Reading File    zImage    pause_after=10
    Board Has Paused    ${board}
    ${cut}    Stop TFTP Server
    Board Goes On    ${board}
    Run Keyword And Expect Error    *ERROR*    Board Has Read File    ${board}
    Should Be Equal    ${cut[0].filename}    zImage
    Should Be Equal    ${cut[0].outcome}    aborted

A Board Gets The Time To End
    Start TFTP Server
    Create Test File    zImage    100 kB
    ${board}    Board Starts Reading File    zImage
    Wait Until File Is Downloaded    zImage
    ${cut}    Stop TFTP Server    grace=2s
    Should Be Empty    ${cut}
    Board Has Read File    ${board}

Stopping A Server That Does Not Run Is A Warning
    Start TFTP Server    alias=dut
    Stop TFTP Server    dut
    Stop TFTP Server    dut
    Stop All TFTP Servers
    TFTP Server Should Not Be Running    dut

Options Change For The Next Request
    Start TFTP Server
    Board Cannot Write File    board.log    text    2
    ${before}    Set TFTP Server Options    writable=True    max_upload_size=1 kB
    Board Writes File    board.log    text
    Set TFTP Server Options    &{before}
    Board Cannot Write File    other.log    text    2

The Address For A Board Is That Of The Route
    ${server}    Start TFTP Server    host=0.0.0.0
    Should Be Equal    ${server.host}    0.0.0.0
    Get TFTP Server Host    ==    127.0.0.1    for_client=127.0.0.5

Without A Server The Failure Names The Keyword That Starts One
    [Template]    Run Keyword And Expect Error
    No TFTP server is running. Start one with `Start TFTP Server`.    List Files
    No TFTP server is running. Start one with `Start TFTP Server`.    Wait Until File Is Downloaded    zImage
    No TFTP server is running. Start one with `Start TFTP Server`.    TFTP Server Should Be Running

A Mistake Is Told At Once
    [Template]    Run Keyword And Expect Error
    port must be from 0 to 65535, got 99999*    Start TFTP Server    port=99999
    port: expected a whole number, got 'tftp'.    Start TFTP Server    port=${A WORD}
    There is no argument 'writeable'. Did you mean writable=?*    Start TFTP Server    writeable=True
    Cannot bind 203.0.113.7:*    Start TFTP Server    host=203.0.113.7

A Root That Is No Folder Is Told At Once
    [Documentation]    A lab allows only some folders of its own to be served, and says so instead.
    [Tags]    local
    [Template]    Run Keyword And Expect Error
    The root '*' is a file. Expected a folder.    Start TFTP Server    ${SUITE SOURCE}
    The root '*' does not exist.*    Start TFTP Server    ${CURDIR}/nowhere

A Port That Is Taken Is Told
    ${server}    Start TFTP Server    alias=dut
    Run Keyword And Expect Error
    ...    Cannot start the TFTP server 'second' *: the TFTP server 'dut', which runs at ${server.url} *
    ...    Start TFTP Server
    ...    alias=second
    ...    port=${server.port}
