*** Settings ***
Documentation    As a tester I want a folder that was there before to be left as it was found.

Library          Collections
Library          OperatingSystem
Library          Process
Library          TftpLibrary    host=127.0.0.1    port=0
Resource         ../equipment/board.resource

Test Setup       Folder With Two Files


*** Variables ***
${ROOT}    ${OUTPUT DIR}/images


*** Test Cases ***
Added Files Are Removed And Overwritten Files Are Put Back
    [Tags]    smoke
    Start TFTP Server    ${ROOT}    writable=True    overwrite=True
    Upload Text    of the test    zImage
    Upload Text    of the test    new/dir/file.txt
    Board Writes File    config.txt    of the board
    Board Writes File    board.log    of the board
    List Files    *    ==    ${{ ["board.log", "config.txt", "new/dir/file.txt", "zImage"] }}
    Stop TFTP Server
    Folder Should Hold    zImage=the kernel    config.txt=the config

Deleted Files Are Put Back
    Start TFTP Server    ${ROOT}
    Delete All Files
    List Files    *    ==    ${EMPTY}
    Stop TFTP Server
    Folder Should Hold    zImage=the kernel    config.txt=the config

The End Of The Test Cleans Up As Well
    Start TFTP Server    ${ROOT}
    Upload Text    of the test    zImage

After The Test The Folder Is As It Was
    [Setup]    NONE
    Folder Should Hold    zImage=the kernel    config.txt=the config

All Files Stay If The Test Keeps Them
    Start TFTP Server    ${ROOT}    keep_files=True
    Upload Text    of the test    zImage
    Delete File    config.txt
    Stop TFTP Server
    Folder Should Hold    zImage=of the test

Files That Another Program Changed Are Left Alone
    Start TFTP Server    ${ROOT}
    Upload Text    of the test    new.txt
    Create File    ${ROOT}/new.txt    of another program
    Stop TFTP Server
    Folder Should Hold    zImage=the kernel    config.txt=the config    new.txt=of another program

Two Servers Of One Folder Leave It To The Last One
    Start TFTP Server    ${ROOT}    alias=left
    Start TFTP Server    ${ROOT}    alias=right
    Upload Text    of the left one    left.txt    server=left
    Upload Text    of the right one    zImage    server=right
    Stop TFTP Server    right
    List Files    *    ==    ${{ ["config.txt", "left.txt", "zImage"] }}    server=left
    Stop TFTP Server    left
    Folder Should Hold    zImage=the kernel    config.txt=the config

What A Killed Run Left Is Put Back At The Next Start
    Run That Is Killed
    Start TFTP Server    ${ROOT}
    List Files    *    ==    ${{ ["config.txt", "zImage"] }}
    ${text}    Get TFTP File Text    zImage
    Should Be Equal    ${text}    the kernel
    Stop TFTP Server
    Folder Should Hold    zImage=the kernel    config.txt=the config

A Private Folder Is Removed
    ${server}    Start TFTP Server
    Upload Text    hello    greeting.txt
    Directory Should Exist    ${server.root}
    Stop TFTP Server
    Directory Should Not Exist    ${server.root}


*** Keywords ***
Folder With Two Files
    Remove Directory    ${ROOT}    recursive=True
    Create File    ${ROOT}/zImage    the kernel
    Create File    ${ROOT}/config.txt    the config

Run That Is Killed
    [Documentation]    A test run that changes the folder, and ends without any clean-up.
    VAR    ${lines}
    ...    import os, sys
    ...    from TftpLibrary import TftpServer
    ...    server = TftpServer(sys.argv[1]).start()
    ...    server.files.upload_bytes(b"of the test", "zImage")
    ...    server.files.upload_bytes(b"of the test", "new/file.txt")
    ...    os._exit(9)
    ...    separator=\n
    ${run}    Run Process    ${{ sys.executable }}    -c    ${lines}    ${ROOT}
    Should Be Equal As Integers    ${run.rc}    9    ${run.stderr}
    File Should Exist    ${ROOT}/new/file.txt

Folder Should Hold
    [Documentation]    The folder holds these files with these contents, and no other file or folder.
    [Arguments]    &{files}
    ${found}    Evaluate    {path.name: path.read_text() for path in pathlib.Path($ROOT).iterdir()}
    Dictionaries Should Be Equal    ${found}    ${files}
