*** Settings ***
Documentation     As a tester I want the library to clean up after itself, so that one test, one suite, one run cannot
...               disturb the next.
...
...               The suites in this folder run in the order of their names and look for what the one before left.

Library           TftpLibrary    host=127.0.0.1    port=0

Suite Setup       Start TFTP Server    alias=for all suites
Suite Teardown    TFTP Server Should Be Running    for all suites
