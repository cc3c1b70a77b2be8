*** Settings ***
Documentation    As a tester whose machine has several addresses I want one server on all of them that
...              answers from the address that the board asked, so that no board drops an answer.

Library          TftpLibrary    host=127.0.0.1    port=0    timeout=10s
Library          equipment/machine.py
Library          equipment/peers.py
Resource         equipment/board.resource


*** Test Cases ***
A Server On All Addresses Answers From The One That Was Asked
    [Documentation]    The board's strict check refuses every answer from another address.
    [Tags]    smoke
    Start Server With An Image    0.0.0.0
    ${port}    Get TFTP Server Port
    FOR    ${address}    IN    127.0.0.1    127.9.9.3    127.9.9.9
        ${report}    Board Reads File    image.bin    host=${address}    port=${port}
        ...    local_host=127.0.0.2    blksize=1468    windowsize=4
        Board Should Hold File    ${report}    image.bin
        Should Be Equal    ${report.server_host}    ${address}
        ${report}    Board Writes File    up-${address}    from a board    host=${address}
        ...    port=${port}    local_host=127.0.0.2
        Should Be Equal    ${report.server_host}    ${address}
        Board Cannot Read File    missing    1    host=${address}    port=${port}
        ...    local_host=127.0.0.2
    END
    Wait Until File Is Downloaded    image.bin    client=127.0.0.2    times=3

Single-Port Mode Answers From The Address That Was Asked
    Start Server With An Image    0.0.0.0    single_port=True
    ${port}    Get TFTP Server Port
    ${report}    Board Reads File    image.bin    host=127.0.0.3    port=${port}
    ...    local_host=127.0.0.2    blksize=1468    windowsize=4
    Board Should Hold File    ${report}    image.bin
    Should Be Equal    ${report.server_host}    127.0.0.3
    Should Be Equal    ${report.server_port}    ${port}

A Server On One Address Is Not Found On Another
    Start Server With An Image    127.0.0.3
    ${port}    Get TFTP Server Port
    Board Reads File    image.bin
    Run Keyword And Expect Error    *nothing came*
    ...    Board Reads File    image.bin    host=127.0.0.4    port=${port}    patience=0.3

The Board Is Told The Address By Which It Reaches The Server
    [Tags]    smoke
    Start Server With An Image    0.0.0.0
    ${address}    Get TFTP Server Host    for_client=127.0.0.2
    ${port}    Get TFTP Server Port
    ${report}    Board Reads File    image.bin    host=${address}    port=${port}
    Board Should Hold File    ${report}    image.bin

A Board With IPv6 Boots
    [Setup]    Require IPv6
    Start Server With An Image    ::1
    ${server}    Get TFTP Server
    Should Be Equal    ${server.host}    ::1
    Should Be Equal    ${server.url}    tftp://[::1]:${server.port}/
    ${report}    Board Reads File    image.bin    blksize=1468    windowsize=4
    Board Should Hold File    ${report}    image.bin
    Should Be Equal    ${report.server_host}    ::1
    ${transfer}    Wait Until File Is Downloaded    image.bin    client=::1
    Should Be Equal    ${transfer.client}    ::1

A Server On All Addresses Serves IPv4 And IPv6
    [Setup]    Require IPv6
    Start Server With An Image    ::
    ${port}    Get TFTP Server Port
    FOR    ${address}    IN    ::1    127.0.0.1    127.0.0.3
        ${report}    Board Reads File    image.bin    host=${address}    port=${port}
        ...    blksize=1468    windowsize=4
        Board Should Hold File    ${report}    image.bin
        Should Be Equal    ${report.server_host}    ${address}
    END
    Wait Until File Is Downloaded    image.bin    client=127.0.0.0/8    times=2
    Wait Until File Is Downloaded    image.bin    client=::1

Single-Port Mode Serves IPv4 And IPv6
    [Setup]    Require IPv6
    Start Server With An Image    ::    single_port=True
    ${port}    Get TFTP Server Port
    FOR    ${address}    IN    ::1    127.0.0.3
        ${report}    Board Reads File    image.bin    host=${address}    port=${port}
        Board Should Hold File    ${report}    image.bin
        Should Be Equal    ${report.server_host}    ${address}
    END

Clients Are Named In IPv4 And IPv6
    [Documentation]    A board with IPv4 keeps its address on a server for IPv4 and IPv6.
    [Setup]    Require IPv6
    Start Server With An Image    ::    clients=127.0.0.2, ::1
    ${port}    Get TFTP Server Port
    Board Reads File    image.bin    host=::1    port=${port}
    Board Reads File    image.bin    host=127.0.0.1    port=${port}    local_host=127.0.0.2
    Board Cannot Read File    image.bin    2    host=127.0.0.1    port=${port}

A Board At A Cable Of Its Own Boots
    [Documentation]    On an interface with two addresses the system would answer from the first one;
    ...    the board must get the answer from the address that it asked.
    [Tags]    needs-root
    [Setup]    Require Cable
    ${cable}    Plug In Cable    198.51.100.1/24    198.51.100.2/24    there=198.51.100.50/24
    Start Server With An Image    0.0.0.0
    ${port}    Get TFTP Server Port
    FOR    ${address}    IN    198.51.100.2    198.51.100.1
        ${report}    Board Reads File    image.bin    host=${address}    port=${port}
        ...    namespace=${cable.namespace}    blksize=1468    windowsize=16    tsize=0
        Board Should Hold File    ${report}    image.bin
        Should Be Equal    ${report.server_host}    ${address}
        Board Writes File    up-${address}    from afar    host=${address}    port=${port}
        ...    namespace=${cable.namespace}
    END
    Wait Until File Is Downloaded    image.bin    client=198.51.100.50    times=2
    Get TFTP Server Host    ==    198.51.100.1    for_client=198.51.100.50

A Board At A Cable Boots In Big Blocks And Windows
    [Documentation]    A block that does not fit into a frame of 1500 bytes is cut into fragments.
    [Tags]    needs-root
    [Setup]    Require Cable
    ${cable}    Plug In Cable    198.51.100.1/24    there=198.51.100.50/24
    Start Server With An Image    198.51.100.1
    FOR    ${options}    IN    blksize\=1468 windowsize\=64    blksize\=1469 windowsize\=16
    ...    blksize\=8192 windowsize\=4    blksize\=65464
        ${report}    Board Reads File    image.bin    options=${options}
        ...    namespace=${cable.namespace}
        Should Be Equal    ${report.options}    ${options}
        Board Should Hold File    ${report}    image.bin
    END

A Board Is Named By Its MAC Address
    [Documentation]    The label of a board shows its MAC address; its IP address is a matter of the
    ...    DHCP server.
    [Tags]    needs-root
    [Setup]    Require Cable
    ${cable}    Plug In Cable    198.51.100.1/24    there=198.51.100.50/24
    Start Server With An Image    198.51.100.1    clients=${cable.mac}    alias=dut
    ${report}    Board Reads File    image.bin    namespace=${cable.namespace}
    Board Should Hold File    ${report}    image.bin
    ${transfer}    Wait Until File Is Downloaded    image.bin    client=${cable.mac}
    Should Be Equal    ${transfer.client}    198.51.100.50
    Set TFTP Server Options    clients=52:54:00:ab:cd:07
    Board Cannot Read File    image.bin    2    namespace=${cable.namespace}
    Run Keyword And Expect Error    *client 198.51.100.50 (${cable.mac}) is not served, only 52:54:00:ab:cd:07*
    ...    Wait Until File Is Downloaded    image.bin    0s    client=${cable.mac}    times=2

A Board With IPv6 Boots At A Cable
    [Tags]    needs-root
    [Setup]    Run Keywords    Require Cable    AND    Require IPv6
    ${cable}    Plug In Cable    2001:db8::1/64    2001:db8::2/64    there=2001:db8::50/64
    Start Server With An Image    ::
    ${port}    Get TFTP Server Port
    FOR    ${address}    IN    2001:db8::2    2001:db8::1
        ${report}    Board Reads File    image.bin    host=${address}    port=${port}
        ...    namespace=${cable.namespace}    blksize=1440    windowsize=16
        Board Should Hold File    ${report}    image.bin
        Should Be Equal    ${report.server_host}    ${address}
    END


*** Keywords ***
Start Server With An Image
    [Arguments]    ${host}    &{settings}
    Start TFTP Server    host=${host}    writable=True    &{settings}
    Create Test File    image.bin    300000

Require Cable
    [Documentation]    Needs Linux, root, and permission to make a network namespace.
    Require Program    ip    apt=iproute2
    ${leave}    May Make Namespaces
    Skip If    not ${leave}    Only root makes a network namespace.
