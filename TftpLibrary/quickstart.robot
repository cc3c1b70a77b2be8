*** Settings ***
Documentation    A board boots from a TFTP server that the test has started.

Library          TftpLibrary    host=127.0.0.1    port=0


*** Test Cases ***
Board Boots From The Network
    ${server}=    Start TFTP Server
    # Your suite uploads the files of your build, from a path or a URL. This one makes some up.
    Upload File    ${SUITE_SOURCE}    boot/config.txt
    Create Test File    boot/zImage    16 MiB
    Switch The Board On    ${server}
    ${kernel}=    Wait Until File Is Downloaded    boot/zImage    timeout=30s
    Show What The Board Did    ${kernel}
    Log Transfers


*** Keywords ***
Switch The Board On
    [Documentation]    Plays the board. With a real board, switch the power on here.
    [Arguments]    ${server}
    TFTP Get    ${server.host}    boot/config.txt    port=${server.port}
    TFTP Get    ${server.host}    boot/zImage    port=${server.port}

Show What The Board Did
    [Documentation]    Prints what the record of a transfer shows.
    [Arguments]    ${transfer}
    ${rate}=    Evaluate    round($transfer.rate / 1e6)
    ${options}=    Evaluate    dict($transfer.granted)
    Log    \nBoard ${transfer.client} downloaded '${transfer.filename}'    console=True
    Log    ${transfer.octets} bytes, ${rate} MB/s, options ${options}    console=True
