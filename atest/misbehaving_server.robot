*** Settings ***
Documentation    As a tester I want the server to have a bad day on purpose, the same one each time, so that
...              I see whether my board survives it before it happens in the field.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         TftpBoard/board.resource

Test Setup       Start Server With Boot Files


*** Test Cases ***
A Lost Block Is Asked For Again
    [Tags]    smoke
    ${lost}    Inject TFTP Fault    drop    DATA 3    file=zImage
    Board Boots    zImage
    ${fault}    TFTP Fault Should Have Happened    ${lost}    times=1
    Should Be Equal    ${{ [*$fault.clients.values()] }}    ${{ [1] }}
    ${transfer}    Wait Until File Is Downloaded    zImage
    Should Be True    ${transfer.retransmits} >= 1

A Wet Radio Costs Time And No Byte
    Set TFTP Link Quality    loss=2 %    duplicate=1 %    delay=1 ms    jitter=2 ms    seed=7
    Board Boots    zImage    windowsize=8
    Board Should Hold File    zImage

A Board That Is Refused Once Asks Again
    [Documentation]    PXELINUX looks for its configuration under several names.
    [Tags]    smoke
    Upload Text    loader    pxelinux.0
    Upload Text    DEFAULT a\nLABEL a\nKERNEL zImage    pxelinux.cfg/default
    Upload Text    DEFAULT a\nLABEL a\nKERNEL rescue    pxelinux.cfg/7F0000
    ${denied}    Deny File    pxelinux.cfg/7F0000    code=1    times=1
    Board Boots    pxelinux.0    loader=pxelinux
    TFTP Fault Should Have Happened    ${denied}
    File Should Have Been Downloaded    zImage
    File Should Not Have Been Requested    rescue
    # The second boot finds what was refused to the first.
    Run Keyword And Expect Error    *get 'rescue': ERROR 1*    Board Boots    pxelinux.0    loader=pxelinux

A Damaged Image Is Not Started
    [Documentation]    One bit is wrong at every block size. The transfer is fine, the checksum is not.
    [Tags]    smoke
    ${crc32}    Get TFTP File Checksum    zImage    crc32
    Upload Text    ${crc32}    zImage.crc32
    Damage TFTP File    zImage    flip_bit    offset=4096
    Board Should Refuse Image    zImage
    Board Should Refuse Image    zImage    blksize=512    windowsize=4
    File Should Have Been Downloaded    zImage    times=2
    Clear TFTP Faults
    Board Boots    zImage    zImage.crc32
    Image Should Be Good    zImage

A Cut Image Is Told As Whole Or Not
    [Documentation]    A board that compares what it got with the size that it was told finds the cut.
    Damage TFTP File    zImage    truncate    size=10 kB    tsize=original    times=1
    Run Keyword And Expect Error
    ...    The board has not booted.*10000 bytes came, the server had announced 1000000*
    ...    Board Boots    zImage    tsize=0
    ${transfer}    Wait Until File Is Downloaded    zImage
    Should Be Equal    ${transfer.octets}    ${10_000}
    Should Be Equal    ${transfer.granted.tsize}    ${1_000_000}
    Board Boots    zImage    tsize=0
    Board Should Hold File    zImage

Bad Days
    [Documentation]    The table that every team writes on the second day.
    [Template]    Board Should Boot Despite
    drop    DATA 1
    drop    DATA last
    drop    ACK 5
    drop    OACK
    drop    request
    duplicate    DATA 100
    duplicate    answer    delay=50 ms
    delay    answer    delay=300 ms
    reorder    DATA 7
    runt    DATA 9
    wrong_block    DATA 9    number=+1
    wrong_tid    DATA 9
    stray    DATA 9
    bad_opcode    DATA 9
    ignore_options

Days That Only A Checksum Finds
    [Documentation]    The download ends well, and the board holds a wrong image.
    [Template]    Board Should Hold A Wrong Image After
    corrupt    DATA 9
    corrupt    DATA 9    number=5
    short_block    DATA 9    size=100

Days That No Board Survives
    [Documentation]    A good board says that its download failed.
    [Template]    Board Should Not Boot After
    error    DATA 9
    error    answer
    long_block    DATA 9
    stall    DATA 9
    vanish    DATA 9
    wrong_oack    OACK    options=blksize\=65464    times=unlimited
    drop    request    times=unlimited

An Error Packet Without Its End Is Ignored
    Deny File    zImage    code=1
    ${cut}    Inject TFTP Fault    unterminated    ERROR    times=unlimited
    Run Keyword And Expect Error
    ...    *no answer after 2 retries*
    ...    Board Boots
    ...    zImage
    ...    retries=2
    ...    retry_after=100ms
    ${fault}    TFTP Fault Should Have Happened    ${cut}
    Should Be Equal    ${fault.hits}    ${3}

Days With Names
    [Template]    Board Should Boot On
    lost_block
    lost_ack
    lost_first_answer
    double_answer
    sorcerers_apprentice
    duplicate_storm
    lost_window_end
    reordered
    rfc1350_server
    stranger

A Board That Believes No Wrong Option Says So
    [Tags]    smoke
    ${lie}    Inject TFTP Fault    wrong_oack    options=blksize=65464    file=zImage
    Run Keyword And Expect Error    *get 'zImage': *blksize*    Board Boots    zImage
    TFTP Fault Should Have Happened    ${lie}

The Board's Own Timer Works
    [Documentation]    The server keeps quiet, so that the board has to send again by itself.
    Start TFTP Server    alias=quiet    writable=True    retransmission=fixed    timeout=20s
    ${asked}    Inject TFTP Fault    drop    request    file=boot.log
    ${lost}    Inject TFTP Fault    drop    DATA 2, 4    file=boot.log
    ${unheard}    Inject TFTP Fault    drop    ACK last    file=boot.log
    Board Boots    retry_after=500ms
    Board Uploads File    boot.log    ${{ "it works\n" * 1000 }}
    ${transfer}    Wait Until File Is Received    boot.log    min_size=9 kB
    Should Be Equal    ${transfer.outcome.name}    completed
    TFTP Fault Should Have Happened    ${asked}    times=1
    TFTP Fault Should Have Happened    ${lost}    times=2
    TFTP Fault Should Have Happened    ${unheard}    times=1

Two Boards Cannot Take Each Other's Fault
    ${lost}    Inject TFTP Fault    drop    DATA 3    file=zImage
    ${right}    Inject TFTP Fault    delay    DATA 5    client=127.0.0.2    delay=10 ms
    Switch Board On    zImage    board=left    timeout=${EMPTY}
    Switch Board On    zImage    board=right    timeout=${EMPTY}    address=127.0.0.2
    Wait Until Board Has Booted    board=left
    Wait Until Board Has Booted    board=right
    ${fault}    TFTP Fault Should Have Happened    ${lost}    times=2
    Should Be Equal    ${fault.clients}    ${{ {"127.0.0.1": 1, "127.0.0.2": 1} }}
    TFTP Fault Should Have Happened    ${right}    client=127.0.0.2    times=1

The Same Seed Is The Same Day
    ${seed}    Evaluate    random.randrange(1000)
    ${first}    Hits Of A Boot    ${seed}
    ${again}    Hits Of A Boot    ${seed}
    Should Be Equal    ${first}    ${again}

The Server Comes Back After A Power Cut
    [Documentation]    The power fails while the board loads block 50; the board starts again by itself.
    ${there}    Inject TFTP Fault    stall    DATA 50    file=zImage
    Switch Board On    zImage    timeout=${EMPTY}    retry_after=100ms    retries=2
    Wait Until TFTP Fault Has Happened    ${there}
    Pause TFTP Server    power_cut    duration=1s
    Run Keyword And Expect Error    *get 'zImage': no answer after 2 retries*    Wait Until Board Has Booted
    Board Boots    zImage
    Board Should Hold File    zImage
    Get Transfer Count    zImage    ==    1    outcome=completed

A Server That Is Busy Is Asked Again
    Pause TFTP Server    busy
    Run Keyword And Expect Error    *Server busy*    Board Boots    zImage
    Resume TFTP Server
    Board Boots    zImage
    Board Should Hold File    zImage

Our Own Download Survives A Lost Last ACK
    [Documentation]    A board that is a server meets a client that loses its last ACK.
    [Tags]    smoke
    ${server}    Get TFTP Server
    ${lost}    Inject TFTP Fault    drop    ACK last    role=client
    TFTP Get    ${server.url}boot.scr
    Wait Until TFTP Fault Has Happened    ${lost}
    Wait Until File Is Downloaded    boot.scr

A Fault That Did Not Happen Fails With The Reason
    [Tags]    smoke
    ${never}    Inject TFTP Fault    drop    DATA 700    file=zImage
    Board Boots    zImage    blksize=8192
    Run Keyword And Expect Error
    ...    Fault ${never} did not happen: drop DATA 700 of 'zImage'.*The file has no block 700: use a smaller blksize*
    ...    TFTP Fault Should Have Happened    ${never}
    ${misspelled}    Inject TFTP Fault    drop    DATA 3    file=zimage
    Board Boots    zImage
    Run Keyword And Expect Error    *No request for it came in *. Nearest: 'zImage' (completed, 1.0 MB). Names match*
    ...    All TFTP Faults Should Have Happened
    Clear TFTP Faults    ${misspelled}


*** Keywords ***
Start Server With Boot Files
    Start TFTP Server    writable=True
    Create Test File    zImage    1 MB
    Upload Text    echo booting    boot.scr

Board Boots
    [Documentation]    Switches the board off and on, and waits until it has loaded everything.
    [Arguments]    @{files}    &{how}
    Switch Board Off
    # Without timeout= the server need not wait 5 s before it sends again.
    Switch Board On    @{files}    timeout=${EMPTY}    &{how}
    Wait Until Board Has Booted

Board Should Boot Despite
    [Arguments]    ${kind}    ${packet}=${NONE}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    &{how}
    Board Boots    zImage
    Board Should Hold File    zImage
    TFTP Fault Should Have Happened    ${fault}

Board Should Hold A Wrong Image After
    [Arguments]    ${kind}    ${packet}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    &{how}
    Board Boots    zImage
    Run Keyword And Expect Error    The board holds another 'zImage' than the store.
    ...    Board Should Hold File    zImage
    TFTP Fault Should Have Happened    ${fault}

Board Should Not Boot After
    [Arguments]    ${kind}    ${packet}    &{how}
    Clear TFTP Faults
    ${fault}    Inject TFTP Fault    ${kind}    ${packet}    file=zImage    &{how}
    Run Keyword And Expect Error    The board has not booted.*
    ...    Board Boots    zImage    retries=2    retry_after=200ms
    TFTP Fault Should Have Happened    ${fault}

Board Should Boot On
    [Arguments]    ${day}
    Clear TFTP Faults
    Create Test File    initrd    50 kB
    Use TFTP Scenario    ${day}    initrd
    Board Boots    initrd
    Board Should Hold File    initrd
    All TFTP Faults Should Have Happened

Board Should Refuse Image
    [Documentation]    The board compares the image with its checksum, as a boot script does with ``crc32``.
    [Arguments]    ${name}    &{how}
    Board Boots    ${name}    ${name}.crc32    &{how}
    Run Keyword And Expect Error    The checksum of '${name}' is wrong.    Image Should Be Good    ${name}

Image Should Be Good
    [Arguments]    ${name}
    ${image}    Read Memory    board    ${name}
    ${crc32}    Read Memory    board    ${name}.crc32
    Should Be Equal    ${{ b"%08x" % zlib.crc32($image) }}    ${crc32}    msg=The checksum of '${name}' is wrong.
    ...    values=False

Hits Of A Boot
    [Documentation]    Returns how often each fault happened; the server forgets all before.
    [Arguments]    ${seed}
    Start TFTP Server    alias=day    port=0
    Create Test File    zImage    100 kB    server=day
    Inject TFTP Fault    drop    DATA    probability=5 %    seed=${seed}
    Inject TFTP Fault    duplicate    ACK    probability=10 %    seed=${seed}
    Board Boots    zImage    server=day
    ${faults}    Get TFTP Faults    server=day
    Stop TFTP Server    day
    RETURN    ${{ [fault.hits for fault in $faults] }}
