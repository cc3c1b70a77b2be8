*** Settings ***
Documentation    As a tester I want images of any size to boot, also images of more than 65,535
...              blocks, where the block number begins again, so that a release may have any size.

Library          OperatingSystem
Library          TftpLibrary    host=127.0.0.1    port=0    timeout=60s
Library          equipment/machine.py
Resource         equipment/board.resource

Suite Setup      Start Server With A Big Image

Test Tags        slow


*** Test Cases ***
A Board Reads 40 MiB In Blocks Of 512
    [Documentation]    After block 65535 comes 0, as in U-Boot and most clients.
    ${report}    Board Reads File    big.bin
    Image Should Have Arrived    ${report}

Block 65535 May Be Followed By 1
    [Documentation]    The board asks for it with an option.
    ${report}    Board Reads File    big.bin    rollover=1    windowsize=16
    Image Should Have Arrived    ${report}

A Server May Be Told What Follows Block 65535
    [Documentation]    Some boards start again with 1 but do not ask for it.
    [Setup]    Set TFTP Server Options    rollover=1
    Run Keyword And Expect Error    DATA 65536 was expected, got DATA 1.*
    ...    Board Reads File    big.bin    windowsize=64
    [Teardown]    Set TFTP Server Options    rollover=0

Windows Cross The Rollover
    [Documentation]    Blocks before and after the rollover get lost.
    ${report}    Board Reads File    big.bin    windowsize=7    drop_blocks=65534, 65536, 65540
    Image Should Have Arrived    ${report}

Losses At The Rollover Are Made Good
    Set TFTP Server Options    timeout=0.2s
    ${report}    Board Reads File    big.bin    blksize=256    rollover=1    windowsize=16
    ...    withhold_acks=65536    drop_blocks=131071
    Board Should Hold File    ${report}    big.bin
    Should Be Equal As Integers    ${report.blocks}    163841
    [Teardown]    Set TFTP Server Options    timeout=1s

A Board Writes 40 MiB In Blocks Of 512
    [Documentation]    A tsize of more than 65,535 blocks must not be refused.
    ${image}    Get TFTP File    big.bin
    ${path}    Save TFTP File    big.bin
    ${octets}    Get Binary File    ${path}
    FOR    ${rollover}    IN    0    1
        Board Writes File    up.bin    ${octets}    rollover=${rollover}    windowsize=16
        ...    tsize=41943040
        Wait Until File Is Received    up.bin    min_size=40 MiB
        Get TFTP File Checksum    up.bin    sha256    ==    ${image.sha256}
        Delete File    up.bin
    END

A Board Reads More Than 4 GiB
    [Documentation]    The size needs more than 32 bits, and the block numbers begin again twice.
    ...    Only the first MiB of the file is not zero, so a block from the wrong side of a
    ...    rollover is noticed. The server has a process of its own, so that only its memory counts.
    VAR    ${root}    ${OUTPUT DIR}/huge
    ${file}    Make Local File    ${root}/image.bin    ${1048576}
    Evaluate    os.truncate($file, 2**32 + 2**20 + 5)
    Make Local File    ${root}/small.bin    ${1048576}
    Start TFTP Server    alias=huge    root=${root}
    ${image}    Get TFTP File    image.bin
    ${server}    Start Server Process    ${root}    --quiet
    Board Reads File    small.bin    host=127.0.0.1    port=${server.port}
    ...    blksize=32768    windowsize=4
    ${before}    Get Memory    ${server.pid}    peak=True
    ${crowd}    Many Boards Read File    1    image.bin    host=127.0.0.1    port=${server.port}
    ...    blksize=32768    windowsize=4
    ${after}    Get Memory    ${server.pid}    peak=True
    Should Be Equal    ${{ dict($crowd.digests) }}    ${{ {$image.sha256: 1} }}
    Should Be True    ${after} - ${before} < 4    The peak went from ${before} to ${after} MiB.
    [Teardown]    Evaluate    os.remove($file)


*** Keywords ***
Start Server With A Big Image
    Start TFTP Server    alias=big    writable=True
    Create Test File    big.bin    40 MiB    content=count

Image Should Have Arrived
    [Arguments]    ${report}
    Board Should Hold File    ${report}    big.bin
    Should Be Equal As Integers    ${report.blocks}    81921
    ${transfer}    Wait Until File Is Downloaded    big.bin
    Should Be Equal As Integers    ${transfer.blocks}    81921
    Should Be Equal As Integers    ${transfer.octets}    41943040
