*** Settings ***
Documentation    A run to look at: `atest/log_and_cards.robot` reads what it leaves in the log.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         board.resource

Suite Setup      Start Server With Boot Files


*** Test Cases ***
The Board Boots
    Board Cannot Read File    pxelinux.cfg/01-52-54-00-12-34-56    1    tsize=0    blksize=1408
    UEFI Board Reads File    zImage
    Board Starts Reading File    slow.bin
    Sleep    2s    The board boots, and nobody waits for it.
    Board Has Read File
    Log Transfers

The Board Does Not Boot
    Board Cannot Read File    <b>zimage</b>    1
    Board Starts Reading File    zImage    blksize=1000    stop_after=41    stop_with=error
    Wait Until File Is Downloaded    zImage    300ms

The Board Does Nothing
    Wait Until File Is Downloaded    zImage    0s

The Server Is Stopped Too Early
    Start TFTP Server    alias=short
    Create Test File    zImage    100 kB
    Board Starts Reading File    zImage    pause_after=5
    Board Has Paused


*** Keywords ***
Start Server With Boot Files
    Start TFTP Server    alias=lab
    Create Test File    zImage    100 kB
    Create Test File    slow.bin    5 MB
