*** Settings ***
Documentation    As a tester I want to see a real boot loader on every bad day with a name, so that I
...              know what each day is good for.
...
...              After each day U-Boot computes the CRC-32 of what it holds: that a transfer ended well
...              says nothing about the octets. ``docs/faults.md`` has how each day ends.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Resource         boards.resource
Library          ../equipment/who_copes.py

Suite Setup      Start Server
Test Setup       Require Board    arm

Test Tags        slow


*** Variables ***
@{DAYS_OF_PACKETS}     lost_block    lost_first_answer    slow_first_answer    double_answer    sorcerers_apprentice
...                    duplicate_storm    every_twelfth_lost    lost_window_end    reordered    lossy_wifi    slow_link
...                    small_ring    stranger    early_end
# Windows make no difference here, or have no acknowledgement of block 3.
@{DAYS_OF_LOCKSTEP}    lost_ack    rfc1350_server    wrong_option_answer    zero_option_answer    odd_option_answer
...                    truncated_image    flipped_bit    error_in_the_middle    server_reboot    server_gone
...                    missing_then_there


*** Test Cases ***
U-Boot In Lockstep On Every Day With A Name
    FOR    ${day}    IN    @{DAYS_OF_PACKETS}    @{DAYS_OF_LOCKSTEP}
        U-Boot Meets Day    ${day}    windowsize=1    column=U-Boot
    END

U-Boot In Windows On Every Day Of Packets
    FOR    ${day}    IN    @{DAYS_OF_PACKETS}
        U-Boot Meets Day    ${day}    windowsize=8    column=U-Boot with windows
    END

U-Boot In Windows Where The Block Numbers Begin Again
    [Documentation]    After block 65535 comes 0. The board loses one of these, and gets the other twice.
    Create Test File    big.bin    33 MiB    content=count
    # As the day `rollover`; the acknowledgement of block 65536 is that of no window here.
    Inject TFTP Fault    drop    DATA 65535    file=big.bin
    Inject TFTP Fault    duplicate    DATA 65536    file=big.bin
    ${outcome}    U-Boot Loads And Compares    big.bin    windowsize=8
    All TFTP Faults Should Have Happened
    Transfer Should Have Used    big.bin    windowsize=8
    Board Should Cope As Documented    U-Boot with windows    rollover    ${outcome}


*** Keywords ***
Start Server
    # U-Boot would ask the server to wait for a second before it sends anything again.
    Start TFTP Server    refuse_options=timeout
    # As large as for the other programs of the table.
    Create Test File    image.bin    85757

U-Boot Meets Day
    [Documentation]    Each day has a fresh board: its memory is empty, and its network works.
    [Arguments]    ${day}    ${windowsize}    ${column}
    Use TFTP Scenario    ${day}    image.bin
    ${outcome}    U-Boot Loads And Compares    image.bin    ${windowsize}
    Power Off
    Clear TFTP Faults
    Board Should Cope As Documented    ${column}    ${day}    ${outcome}

U-Boot Loads And Compares
    [Documentation]    Returns how it ended.
    [Arguments]    ${name}    ${windowsize}
    Switch On Board    arm
    TRY
        U-Boot Loads File    ${name}    blksize=512    windowsize=${windowsize}
    EXCEPT    *The command failed*    type=GLOB
        RETURN    refuses
    END
    ${is_right}    Run Keyword And Return Status    Memory Should Hold File    ${name}
    VAR    ${outcome}    ${{ 'ok' if ${is_right} else 'wrong' }}
    RETURN    ${outcome}
