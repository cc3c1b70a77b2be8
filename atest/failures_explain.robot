*** Settings ***
Documentation    As a tester I want a message that shows me what to do for each way in which a boot fails,
...              so that I do not have to read the serial log first.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=100ms
Resource         equipment/board.resource

Test Setup       Start Server With A Kernel


*** Test Cases ***
The File Is Missing
    [Tags]    smoke
    Board Cannot Read File    initrd.img    1
    The Download Fails
    ...    initrd.img
    ...    it was requested and refused: file not found.
    ...    Upload the file under the name that the board asks for.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'initrd.img' from ${CLIENT}: file not found.

The Board Asks For A Name That Is Nearly Right
    [Documentation]    The test and the board use the same name; the store has another one.
    Board Cannot Read File    zimage    1
    The Download Fails    zimage
    ...    it was requested and refused: file not found.
    ...    The store has 'zImage'. Upload the file under the name that the board asks for.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'zimage' from ${CLIENT}: file not found.

The Board Asks For Another Name
    [Documentation]    The test and the store use the same name; the board asks for another one.
    [Tags]    smoke
    Board Cannot Read File    zimage    1
    The Download Fails    zImage
    ...    no such name was requested,
    ...    the nearest: 'zimage' (file not found).
    ...    Names match exactly, with case and folders, or as a glob such as '*/zImage'.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'zimage' from ${CLIENT}: file not found.

The Board Stops In The Middle
    [Documentation]    The board is silent, and the server is still trying.
    [Tags]    smoke
    Board Reads File    zImage    blksize=1000    stop_after=41    stop_with=silence
    The Download Fails
    ...    zImage
    ...    40 % (40.0 of 100.0 kB), block 40, silent for 1.* s.
    ...    Look at the board's console, its power and its cable.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'zImage' from *: running, 40 % (40.0 of 100.0 kB).
    ...    timeout=1.1 s

The Board Gives Up
    VAR    ${end}    stopped by the board
    Board Reads File    zImage    blksize=1000    stop_after=41    stop_with=error    stop_code=3
    Wait Until Transfers Are Idle    0s
    The Download Fails
    ...    zImage
    ...    40 % (40.0 of 100.0 kB), block 40,
    ...    then it failed: ${end}. Look at the board's console for what went wrong there.
    ...    requests=Requests seen at *: * read request for 'zImage' from *: failed at 40 % (40.0 of 100.0 kB): ${end}.

Only The Size Is Asked
    [Tags]    smoke
    Board Probes File Size    zImage
    The Download Fails
    ...    zImage
    ...    only its size was asked.
    ...    The board took the size and did not come back for the content: look at its console,
    ...    the file may be too large for it.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'zImage' from ${CLIENT}: only its size was asked.

Another Board Asks
    Board Reads File    zImage    local_host=127.0.0.2
    Wait Until Transfers Are Idle    0s
    The Download Fails
    ...    zImage
    ...    only other clients asked for it: 127.0.0.2 (completed, 100.0 kB).
    ...    Check client\= and the board's address; behind NAT it is that of the router.
    ...    requests=Requests seen at 127.0.0.1:*: * read request for 'zImage' from 127.0.0.2: completed, 100.0 kB.
    ...    client=127.0.0.1

Nothing Is Asked
    [Tags]    smoke
    The Download Fails    uImage
    ...    nothing was requested at 127.0.0.1:*.
    ...    Only this machine reaches that address: for a board, start the server with host\=auto
    ...    or an address of this machine in the board's network.
    ...    requests=No request was seen at 127.0.0.1:* since the mark.

The Board Sends Instead Of Asking
    Board Writes File    zImage.bak    kernel
    Wait Until Transfers Are Idle    0s
    The Download Fails
    ...    zImage.bak
    ...    the board sent it (write request) instead of asking for it
    ...    (read request). `Wait Until File Is Received` waits for what a board sends.
    ...    requests=Requests seen at 127.0.0.1:*: * write request for 'zImage.bak' from ${CLIENT}: completed, 6 bytes.

The Board Cannot Write
    Set TFTP Server Options    writable=False
    Board Cannot Write File    core.txt    oops    2
    ${message}    Run Keyword And Expect Error    *    Wait Until File Is Received    core.txt
    Should Start With    ${message}
    ...    'core.txt' was not received in 100 ms: it was requested and refused:
    Should Contain    ${message}    Start the server with writable=True to let boards send files.

The Requests Differ
    [Documentation]    The message shows the expected requests beside the actual ones.
    Board Cannot Read File    zimage    1
    Board Cannot Read File    initrd    1
    VAR    ${message}
    ...    The requests differ from the expected ones: 1 wrong, 1 missing.
    ...    ${SPACE*2}expected${SPACE*2}seen
    ...    !${SPACE}zImage${SPACE*4}zimage
    ...    ${SPACE*2}initrd${SPACE*4}initrd
    ...    !${SPACE}boot.scr${SPACE*2}-
    ...    Requests seen at *: * read request for 'zimage' from *: file not found; * read request for 'initrd' from *
    ...    separator=\n
    Run Keyword And Expect Error    ${message}    Requests Should Be    zImage    initrd    boot.scr

Files Are Missing
    Board Cannot Read File    zimage    1
    Board Cannot Read File    pxelinux.cfg/01-52-54    1
    Run Keyword And Expect Error
    ...    1 requested file was missing: 'zimage' from ${CLIENT} (the store has 'zImage'). Upload under *
    ...    No Requested File Should Be Missing    ignore=pxelinux.cfg/*

A File Is Requested That Should Not Be
    Board Reads File    zImage
    Wait Until Transfers Are Idle    0s
    Run Keyword And Expect Error
    ...    'zImage' was requested once, expected never. The last time: read request for 'zImage' from *, completed, *
    ...    File Should Not Have Been Requested
    ...    zImage

A Transfer Is Not What It Should Be
    Board Reads File    zImage    blksize=65464    windowsize=2
    Wait Until File Is Downloaded    zImage
    VAR    ${message}
    ...    read request for 'zImage' from ${CLIENT} did not go as expected:
    ...    ${SPACE*2}blksize: expected 1468, was 65464 (asked for: 65464)
    ...    ${SPACE*2}windowsize: expected 1, was 2 (asked for: 2)
    ...    separator=\n
    Run Keyword And Expect Error    EQUALS:${message}
    ...    Transfer Should Have Used    zImage    blksize=1468    windowsize=1


*** Keywords ***
Start Server With A Kernel
    Start TFTP Server    writable=True    max_upload_size=1 MB
    Create Test File    zImage    100 kB

The Download Fails
    [Documentation]    Expects this message after its head, and the requests in a line of their own.
    [Arguments]    ${name}    @{message}    ${requests}    ${client}=${EMPTY}    ${timeout}=100 ms
    ${by}    Set Variable If    "${client}"    ${SPACE}by ${client}    ${EMPTY}
    VAR    ${text}    '${name}' was not downloaded${by} in ${timeout}:    @{message}    separator=${SPACE}
    Run Keyword And Expect Error    ${text}\n${requests}
    ...    Wait Until File Is Downloaded    ${name}    client=${client}    timeout=${timeout}
