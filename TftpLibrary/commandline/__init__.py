"""The command line: what `python -m TftpLibrary` and the script `tftplibrary` do."""
