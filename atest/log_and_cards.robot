*** Settings ***
Documentation    As a tester I want log.html to show how the board booted, without any keyword for it, so that I can
...              understand in the morning what happened in the night.

Library          Collections
Library          OperatingSystem
Library          Process
Library          String
Library          XML
Library          equipment/peers.py

Suite Setup      Let A Board Boot


*** Variables ***
${FOLDER}    ${OUTPUT DIR}/log_and_cards
${CLIENT}    %{TFTP_LIBRARY_BOARD_ADDRESS=127.0.0.1}


*** Test Cases ***
Each Transfer Has One Card
    [Tags]    smoke
    ${cards}    Cards Of    suite
    Length Should Be    ${cards}    7

A Card Is In The Keyword During Which Its Transfer Ended
    [Documentation]    The keyword may be one of another library.
    [Tags]    smoke
    ${cards}    Cards Of    .//test[@name='The Board Boots']/kw[@name='Sleep']
    Length Should Be    ${cards}    1
    Should Contain
    ...    ${cards}[0]
    ...    completed</b> read request for '<bdi>slow.bin</bdi>' from ${CLIENT}: 5.0 MB in

A Card Shows The Request And Its Outcome
    ${card}    Card Of    The Board Boots    zImage    completed
    Should Contain    ${card}    read request for '<bdi>zImage</bdi>' from ${CLIENT}: 100.0 kB in
    Should Contain    ${card}    , server lab<
    Should Contain    ${card}    <bdi>blksize=1468</bdi> → 1468, <bdi>windowsize=4</bdi> → 4
    Should Contain    ${card}    100,000 of 100,000 in 69 blocks, 0 retransmits, 0 duplicates
    Should Match Regexp    ${card}    sha256 [0-9a-f]{12}…

The Course Of A Transfer Is Drawn
    ${card}    Card Of    The Board Boots    slow.bin    completed
    Should Contain    ${card}    Throughput:
    Should Contain    ${card}    <svg
    Should Contain    ${card}    of 5.0 MB</title>

Failures Are Open And Successes Are Closed
    [Tags]    smoke
    [Template]    Card Should Be
    The Board Boots    zImage    completed    closed
    The Board Boots    zImage    probed    closed
    The Board Boots    pxelinux.cfg    refused    open
    The Board Does Not Boot    zImage    failed    open
    The Server Is Stopped Too Early    zImage    aborted    open

A Miss Shows Which File Is There
    ${card}    Card Of    The Board Does Not Boot    zimage    refused
    Should Contain    ${card}    <td>'<bdi>zImage</bdi>'</td>

A Card Is Small
    ${cards}    Cards Of    suite
    FOR    ${card}    IN    @{cards}
        Should Be True    len($card.encode()) < 10_000
    END

A Failed Test Has Its Requests In The Log
    [Tags]    smoke
    VAR    ${test}    .//test[@name='The Board Does Not Boot']
    ${tables}    Messages With    ${test}    <b>Requests of this test:</b>
    Length Should Be    ${tables}    1
    Should Contain    ${tables}[0]    failed</b> read request for '<bdi>zImage</bdi>'
    Should Not Contain    ${tables}[0]    pxelinux.cfg

A Failed Test Without Requests Says So
    ${messages}    Get Elements Texts    ${FOLDER}/output.xml    .//test[@name='The Board Does Nothing']/msg
    Should Contain    ${messages}    No request was seen in this test.

A Passed Test Has Only What It Asked For
    ${tables}    Messages With    .//test[@name='The Board Boots']    <b>Requests of this test:</b>
    Should Be Empty    ${tables}
    ${tables}    Messages With    .//test[@name='The Board Boots']//kw[@name='Log Transfers']    <rect
    Length Should Be    ${tables}    1
    Should Contain X Times    ${tables}[0]    <rect    4

Texts Of A Board Are Escaped
    ${messages}    Messages With    suite    zimage
    FOR    ${message}    IN    @{messages}
        Should Not Contain    ${message}    <b>zimage
        Should Contain    ${message}    &lt;b&gt;zimage&lt;/b&gt;
    END

A Browser Shows It
    ${chromium}    Require Program    chromium
    # On a busy machine the browser may print the page before its scripts have opened the failures.
    Wait Until Keyword Succeeds    5x    1s    Browser Should Show The Cards    ${chromium}


*** Keywords ***
Browser Should Show The Cards
    [Arguments]    ${chromium}
    VAR    @{quiet}    --headless    --no-sandbox    --disable-gpu    --no-first-run    --disable-sync
    ...    --disable-background-networking    --disable-component-update    --disable-quic
    ${page}    Run Process    ${chromium}    @{quiet}    --user-data-dir\=${FOLDER}/profile
    ...    --virtual-time-budget\=20000    --dump-dom    file://${FOLDER}/log.html
    ...    stdout=${FOLDER}/dom.html    stderr=${FOLDER}/chromium.txt    timeout=60s
    Should Be Equal As Integers    ${page.rc}    0
    ${dom}    Get File    ${FOLDER}/dom.html
    Should Contain    ${dom}    <details
    Should Contain    ${dom}    Requests of this test:
    Should Not Contain    ${dom}    <b>zimage

Let A Board Boot
    [Documentation]    Runs a suite of its own, whose log the tests read. Two of its tests fail.
    Remove Directory    ${FOLDER}    recursive=True
    ${run}    Run Process    ${{ sys.executable }}    -m    robot    --outputdir    ${FOLDER}
    ...    ${CURDIR}/equipment/_boot_suite.robot    cwd=${EXECDIR}    timeout=60s
    Should Be Equal As Integers    ${run.rc}    2    ${run.stdout}${run.stderr}

Messages With
    [Documentation]    Returns the messages with a text, in one part of the log.
    [Arguments]    ${xpath}    ${text}
    ${part}    Get Element    ${FOLDER}/output.xml    ${xpath}
    ${messages}    Get Elements Texts    ${part}    .//msg[@html='true']
    VAR    @{found}    @{EMPTY}
    FOR    ${message}    IN    @{messages}
        ${count}    Get Count    ${message}    ${text}
        IF    ${count}    Append To List    ${found}    ${message}
    END
    RETURN    ${found}

Cards Of
    [Documentation]    Returns the cards in one part of the log.
    [Arguments]    ${xpath}
    ${cards}    Messages With    ${xpath}    <details
    RETURN    ${cards}

Card Of
    [Documentation]    Returns the one card of a test with this name and outcome.
    [Arguments]    ${test}    ${name}    ${outcome}
    ${cards}    Cards Of    .//test[@name='${test}']
    ${own}    Get Matches    ${cards}    *>${outcome}</b>*${name}*
    Length Should Be    ${own}    1
    RETURN    ${own}[0]

Card Should Be
    [Arguments]    ${test}    ${name}    ${outcome}    ${state}
    ${card}    Card Of    ${test}    ${name}    ${outcome}
    ${first}    Get Line    ${card}    0
    IF    '${state}' == 'open'
        Should End With    ${first}    ${SPACE}open>
    ELSE
        Should Not Contain    ${first}    open
    END
