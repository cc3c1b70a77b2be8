*** Settings ***
Documentation    As a tester I want to put the files of my build where the boards find them, and to look at the files
...              that they sent, so that I need neither root nor a folder on the server.

Library          Collections
Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0
Resource         equipment/board.resource

Test Setup       Start TFTP Server    writable=True


*** Variables ***
${BUILD}    ${OUTPUT DIR}/build


*** Test Cases ***
A Board Gets The Uploaded File
    [Tags]    smoke
    Create File    ${BUILD}/zImage    kernel
    ${file}    Upload File    ${BUILD}/zImage    boot/zImage
    ${report}    Board Reads File    boot/zImage
    Should Be Equal    ${report.text}    kernel
    Should Be Equal    ${file.sha256}    ${report.sha256}

A File Comes From A URL
    Create File    ${BUILD}/zImage    kernel
    ${url}    Evaluate    pathlib.Path($BUILD, "zImage").absolute().as_uri()
    ${file}    Upload File    ${url}
    Should Be Equal    ${file.name}    zImage

A Folder Is Uploaded As It Is
    Create File    ${BUILD}/images/zImage    kernel
    Create File    ${BUILD}/images/overlays/uart.dtbo    overlay
    Upload Folder    ${BUILD}/images    rpi4
    List Files    rpi4/*    ==    ${{ ["rpi4/zImage", "rpi4/overlays/uart.dtbo"] }}
    ${report}    Board Reads File    rpi4/overlays/uart.dtbo
    Should Be Equal    ${report.text}    overlay

The Same Content Is Not Copied Again
    ${first}    Upload Text    hello    greeting.txt
    ${again}    Upload Text    hello    greeting.txt
    Should Be True    ${first.uploaded}
    Should Not Be True    ${again.uploaded}

A Board Can Have A File Of Its Own
    Upload Text    for everyone    name.txt
    Upload Text    for one    name.txt    only_for=127.0.0.9
    ${everyone}    Board Reads File    name.txt
    ${one}    Board Reads File    name.txt    local_host=127.0.0.9
    Should Be Equal    ${everyone.text}    for everyone
    Should Be Equal    ${one.text}    for one

A File That Is Replaced Is Never Mixed
    ${old}    Create Test File    zImage    100 kB    seed=1
    ${board}    Board Starts Reading File    zImage    pause_after=10
    Board Has Paused    ${board}
    ${new}    Create Test File    zImage    100 kB    seed=2
    Board Goes On    ${board}
    ${first}    Board Has Read File    ${board}
    ${second}    Board Reads File    zImage
    Should Be Equal    ${first.sha256}    ${old.sha256}
    Should Be Equal    ${second.sha256}    ${new.sha256}

Files Of Any Size Arrive
    [Template]    A File Of This Size Arrives
    0
    1
    511
    512
    1 KiB
    1 MB

A File That A Board Sent Is Taken Out Of The Store
    [Tags]    smoke
    Board Writes File    startup-config    hostname router-7\n
    Wait Until File Is Received    startup-config    10s    min_size=1
    Get TFTP File Text    startup-config    contains    router-7
    Get TFTP File Size    startup-config    ==    18
    ${path}    Save TFTP File    startup-config    ${OUTPUT DIR}
    ${text}    Get File    ${path}
    Should Be Equal    ${text}    hostname router-7\n

Checksums Are Those That The Boot Loader Prints
    ${file}    Upload Text    hello    greeting.txt
    Get TFTP File Checksum    greeting.txt    crc32    ==    3610a686
    Should Be Equal    ${file.crc32}    3610a686

Files Are Copied Renamed And Deleted
    Upload Text    hello    a.txt
    Copy TFTP File    a.txt    b.txt
    Rename TFTP File    a.txt    c.txt
    List Files    *    ==    ${{ ["b.txt", "c.txt"] }}
    Delete File    b.txt
    TFTP File Should Not Exist    b.txt
    ${deleted}    Delete All Files
    Should Be Equal    ${deleted}    ${{ ["c.txt"] }}
    Board Cannot Read File    c.txt    1

A Missing File Is Told With Those That Are There
    [Setup]    Store Has Two Files
    [Template]    Run Keyword And Expect Error
    No file 'x'. Files: a, b.    Delete File    x
    No file 'x'. Files: a, b.    TFTP File Should Exist    x
    No file 'x'. Files: a, b.    Get TFTP File    x
    No file 'x'. Files: a, b.    Rename TFTP File    x    y

A Failed Upload Leaves The Store As It Was
    Upload Text    old    greeting.txt
    Run Keyword And Expect Error    *no-such-file*    Upload File    ${BUILD}/no-such-file    greeting.txt
    Run Keyword And Expect Error    *is a folder*    Upload File    ${CURDIR}    greeting.txt
    Run Keyword And Expect Error    File 'greeting.txt' exists already*
    ...    Upload Text    new    greeting.txt    overwrite=False
    Run Keyword And Expect Error    *..*    Upload Text    new    ../greeting.txt
    List Files    *    ==    greeting.txt
    Get TFTP File Text    greeting.txt    ==    old


*** Keywords ***
A File Of This Size Arrives
    [Arguments]    ${size}
    Create Test File    image.bin    ${size}
    ${report}    Board Reads File    image.bin
    Board Should Hold File    ${report}    image.bin

Store Has Two Files
    Start TFTP Server
    Upload Text    ${EMPTY}    b
    Upload Text    ${EMPTY}    a
