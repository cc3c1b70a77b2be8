*** Settings ***
Documentation    As a tester I want a server that no packet can stop, and that lets no board reach
...              a file outside of the served folder or damage a file, so that I can connect an
...              unknown board to my own machine.

Library          OperatingSystem
Library          String
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Library          equipment/machine.py
Resource         equipment/board.resource

Suite Setup      Serve A Folder Beside A Secret


*** Variables ***
${BASE}      ${OUTPUT DIR}/keep-files-safe
${ROOT}      ${BASE}/root
${SECRET}    ${BASE}/secret.txt


*** Test Cases ***
No Name Leads Out Of The Folder
    [Tags]    smoke
    [Template]    Board Gets Nothing For
    ../secret.txt    2
    folder/../../secret.txt    2
    folder/../inside.txt    2
    ..\\secret.txt    2
    folder\\..\\..\\secret.txt    2
    /../secret.txt    2
    ..    2
    C:\\secret.txt    2
    c:secret.txt    2
    ${SECRET}    1
    ${ROOT}/inside.txt    1
    //${SECRET}    1
    ....//secret.txt    1
    %2e%2e/secret.txt    1

Folders And Devices Are No Files
    [Tags]    smoke
    [Template]    Board Gets Nothing For
    folder    2
    folder/    2
    folder\\    2
    .    2
    /    2
    ${{ 'x' * 300 }}    1
    inside.txt/more    1

A FIFO Is No File
    [Documentation]    The server neither waits for a writer of the pipe nor reads from it.
    Make Fifo    ${ROOT}/pipe
    Board Gets Nothing For    pipe    2

A Link Out Of The Folder Is Not Followed
    [Tags]    smoke
    Make Link    ${ROOT}/link.txt    ${SECRET}
    Make Link    ${ROOT}/up    ${BASE}
    Make Link    ${ROOT}/relative    ../secret.txt
    Make Link    ${ROOT}/device    /dev/zero
    FOR    ${name}    IN    link.txt    up/secret.txt    relative    device    up
        Board Gets Nothing For    ${name}    2
    END

A Link Within The Folder Is Followed
    Make Link    ${ROOT}/latest    folder
    ${report}    Board Reads File    latest/news.txt
    Should Be Equal    ${report.text}    news

A Link That Is Swapped In While Boards Ask Gives Nothing Away
    [Documentation]    Between the check and the opening of a file its folder becomes a link.
    Create Directory    ${BASE}/outside
    Create File    ${BASE}/outside/news.txt    secret
    ${swapper}    Start Swapping    ${ROOT}/folder    ${BASE}/outside
    ${server}    Get TFTP Server
    ${seen}    Read Again And Again As Board    ${server}    folder/news.txt    ${1000}
    Should Not Contain    ${seen}    secret
    Should Contain    ${seen}    news
    Should Contain    ${seen}    ERROR 2
    Should Be True    ${swapper.swaps} > 100

Links May Be Followed Where The Test Says So
    [Documentation]    A lab refuses it: a runner could read every file of the lab host.
    [Tags]    local
    Make Link    ${ROOT}/link.txt    ${SECRET}
    Start TFTP Server    ${ROOT}    alias=links    follow_symlinks=True
    ${report}    Board Reads File    link.txt
    Should Be Equal    ${report.text}    nobody must read this

A Board Cannot Write Out Of The Folder
    [Setup]    Start TFTP Server    ${ROOT}    alias=writable    writable=True    overwrite=True
    Make Link    ${ROOT}/up    ${BASE}
    Make Link    ${ROOT}/link.txt    ${SECRET}
    Make Link    ${ROOT}/dangling    ${BASE}/new.txt
    FOR    ${name}    IN    ../secret.txt    ../new.txt    up/secret.txt    up/new.txt    folder
    ...    folder/    C:\\new.txt    .    new.txt/..
        Board Cannot Write File    ${name}    overwritten    2
    END
    # A link in the last place is replaced by the file or refused; it is never written through.
    FOR    ${name}    IN    link.txt    dangling
        Run Keyword And Ignore Error    Board Writes File    ${name}    overwritten
    END
    Secret Should Be Untouched
    File Should Not Exist    ${BASE}/new.txt

A File That Cannot Be Read Is Refused
    [Tags]    needs-root
    ${is_root}    Evaluate    getattr(os, 'geteuid', lambda: 0)() == 0
    Skip If    ${is_root}    Root reads every file.
    Create File    ${ROOT}/closed.txt    closed
    Evaluate    os.chmod(r'${ROOT}/closed.txt', 0)
    Board Gets Nothing For    closed.txt    2

A Packet That Is No Request Gets No Answer
    [Documentation]    A request with a flaw gets ERROR 4; anything else gets no answer, so there are no loops.
    [Tags]    smoke
    [Template]    Octets Get
    ${{ b'\x00\x01inside.txt\x00octet' }}    4
    ${{ b'\x00\x01inside.txt' }}    4
    ${{ b'\x00\x01inside.txt\x00' }}    4
    ${{ b'\x00\x01\x00octet\x00' }}    4
    ${{ b'\x00\x01' }}    4
    ${{ b'\x00\x02inside.txt\x00octet' }}    4
    ${{ b'\x00\x01inside.txt\x00mail\x00' }}    4    octet
    ${{ b'\x00\x01inside.txt\x00mail\x00' }}    4    netascii
    ${{ b'\x00\x01inside.txt\x00binary\x00' }}    4    octet
    ${{ b'\x00\x03\x00\x01data' }}    ${NONE}
    ${{ b'\x00\x04\x00\x01' }}    ${NONE}
    ${{ b'\x00\x05\x00\x01no\x00' }}    ${NONE}
    ${{ b'\x00\x06tsize\x001\x00' }}    ${NONE}
    ${{ b'' }}    ${NONE}
    ${{ b'\x00' }}    ${NONE}
    ${{ b'\x01' }}    ${NONE}

A Name With A NUL Ends There
    [Documentation]    The server takes the rest for the mode: it sees a request with a flaw, and gives no file.
    ${answer}    Board Sends Octets    ${{ b'\x00\x01inside.txt\x00/../../secret.txt\x00octet\x00' }}
    Should Be Equal As Integers    ${answer.kind}    5

A File That Is Replaced Meanwhile Arrives As It Was
    [Tags]    smoke
    ${old}    Create Test File    image.bin    50000    seed=1
    Board Starts Reading File    image.bin    pause_after=50
    Board Has Paused
    Create Test File    image.bin    60000    seed=2
    Board Goes On
    ${report}    Board Has Read File
    Should Be Equal    ${report.sha256}    ${old.sha256}
    ${report}    Board Reads File    image.bin
    Board Should Hold File    ${report}    image.bin

A File That Is Deleted Meanwhile Arrives As It Was
    ${old}    Create Test File    image.bin    50000    seed=1
    Board Starts Reading File    image.bin    pause_after=50
    Board Has Paused
    Delete File    image.bin
    Board Goes On
    ${report}    Board Has Read File
    Should Be Equal    ${report.sha256}    ${old.sha256}

A File That Is Changed In Place Is Never A Mix
    [Documentation]    Another program writes into the file. The transfer fails, and its message says why.
    FOR    ${options}    IN    ${EMPTY}    blksize\=1024 windowsize\=4    blksize\=8 windowsize\=64
        Make Local File    ${ROOT}/others.bin    500000
        Board Starts Reading File    others.bin    pause_after=50    options=${options}
        Board Has Paused
        Append To File    ${ROOT}/others.bin    more
        Board Goes On
        Run Keyword And Expect Error    ERROR 0 *changed*    Board Has Read File
        Get Transfer Count    others.bin    ==    1    outcome=failed
        Mark Transfers
    END

Only The Boards Named Are Served
    Start TFTP Server    ${ROOT}    alias=some    clients=127.0.0.2, 127.0.1.0/24
    Board Cannot Read File    inside.txt    2
    Board Reads File    inside.txt    local_host=127.0.0.2
    Board Reads File    inside.txt    local_host=127.0.1.77
    Board Cannot Read File    inside.txt    2    local_host=127.0.2.77

Names Of A Board Do No Harm To The Log
    [Documentation]    Markup, control characters and broken UTF-8 in a name.
    FOR    ${name}    IN    <script>alert(1)</script>    ${{ b'\x1b[31m\xff\xfe' }}    ${{ 'a\u202eb' }}
        Board Cannot Read File    ${name}    1
    END
    Log Transfers
    ${transfers}    Get Transfers    outcome=refused
    Should Be Equal    ${transfers[1].filename}    \\x1b[31m\\xff\\xfe
    Should Be Equal    ${transfers[2].filename}    a\\u202eb

A Flood Of Noise Leaves The Server Serving
    [Documentation]    100,000 random datagrams arrive. Between them a board reads a file 1,000 times.
    [Tags]    slow
    ${server}    Start Server Process    ${ROOT}    --quiet
    Make Noise At Server    ${server}    inside.txt    ${1000}    seed=0
    ${before}    Get Memory    ${server.pid}
    ${reads}    Make Noise At Server    ${server}    inside.txt    ${100000}    seed=1
    Should Be Equal As Integers    ${reads}    1000
    ${after}    Get Memory    ${server.pid}
    Should Be True    ${after} - ${before} < 32    Memory grew from ${before} to ${after} MiB.
    ${report}    Board Reads File    inside.txt    host=${server.host}    port=${server.port}
    Should Be Equal    ${report.text}    everybody may read this
    ${printed}    End Server Process    ${server}
    ${lines}    Get Line Count    ${printed}
    Should Be True    ${lines} < 20    The server printed ${lines} lines:\n${printed}

Abandoned Requests Do Not Shut Out Others
    [Documentation]    Requests come from many ports, and nobody ever acknowledges an answer.
    [Tags]    slow
    # The oldest of them gives way when it is 20 ms old: 100 cannot be asked in so short a time.
    Start TFTP Server    ${ROOT}    alias=flooded    max_transfers=100
    FOR    ${_}    IN RANGE    300
        Board Sends Octets    ${{ b'\x00\x01inside.txt\x00octet\x00' }}    patience=0
    END
    ${report}    Board Reads File    inside.txt
    Should Be Equal    ${report.text}    everybody may read this


*** Keywords ***
Serve A Folder Beside A Secret
    Remove Directory    ${BASE}    recursive=True
    Create Directory    ${ROOT}/folder
    Create File    ${SECRET}    nobody must read this
    Create File    ${ROOT}/inside.txt    everybody may read this
    Create File    ${ROOT}/folder/news.txt    news
    Start TFTP Server    ${ROOT}    alias=safe

Board Gets Nothing For
    [Arguments]    ${name}    ${code}
    Board Cannot Read File    ${name}    ${code}
    Board Cannot Read File    ${name}    ${code}    blksize=1468    tsize=0

Octets Get
    [Arguments]    ${octets}    ${code}    ${text}=${EMPTY}
    ${answer}    Board Sends Octets    ${octets}    patience=0.3
    IF    $code is None
        Should Be Equal    ${answer}    ${NONE}    The server answered.
    ELSE
        Should Be Equal As Strings    ERROR ${code}    ERROR ${answer.number}
        Should Contain    ${answer.text}    ${text}
    END
    ${report}    Board Reads File    inside.txt
    Should Be Equal    ${report.text}    everybody may read this

Secret Should Be Untouched
    ${text}    Get File    ${SECRET}
    Should Be Equal    ${text}    nobody must read this
