"""The command line: `python -m TftpLibrary`, and the script `tftplibrary`."""
