*** Settings ***
Documentation    As a tester I want several boards to boot from one server at the same time, and to
...              know which of them did what, so that one test bench serves all of them.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=30s
Resource         boards.resource

Test Setup       Require Board    arm


*** Test Cases ***
Two Boards Load One Image At Once
    ${left}    ${right}    Switch On Two Boards
    Create Test File    image.bin    4 MiB
    FOR    ${board}    IN    ${left}    ${right}
        U-Boot Starts Loading File    image.bin    board=${board}
    END
    FOR    ${board}    IN    ${left}    ${right}
        U-Boot Has Loaded File    board=${board}
        Memory Should Hold File    image.bin    board=${board}
    END
    ${one}    Wait Until File Is Downloaded    image.bin    client=${left.address}
    ${two}    Wait Until File Is Downloaded    image.bin    client=${right.address}
    Should Be True    $one.started < $two.ended and $two.started < $one.ended    Not at once.

Each Board Gets The File That Is Meant For It
    ${left}    ${right}    Switch On Two Boards
    ${short}    Upload Text    I am the left one.    config.txt    only_for=${left.address}
    ${long}    Upload Text    And I am the right.    config.txt    only_for=${right.address}
    U-Boot Loads File    config.txt    board=${left}
    U-Boot Loads File    config.txt    board=${right}
    ${one}    Wait Until File Is Downloaded    config.txt    client=${left.address}
    ${two}    Wait Until File Is Downloaded    config.txt    client=${right.address}
    Should Be Equal As Integers    ${one.size}    ${short.size}
    Should Be Equal As Integers    ${two.size}    ${long.size}


*** Keywords ***
Switch On Two Boards
    Start TFTP Server
    ${left}    Switch On Board    arm
    ${right}    Switch On Board    arm
    RETURN    ${left}    ${right}
