*** Settings ***
Documentation    As a tester I want to know how programs that everyone uses cope with a bad day, so
...              that I can tell a weakness of my board from one of its TFTP code.
...
...              The tables are in ``docs/faults.md``. A run writes those that it made into the output
...              folder.

Library          equipment/who_copes.py

Test Timeout     10 minutes

Test Tags        interop    slow


*** Test Cases ***
Downloads On Bad Days End As Documented
    Programs Should Cope As Documented    downloads

Uploads On Bad Days End As Documented
    Programs Should Cope As Documented    uploads
