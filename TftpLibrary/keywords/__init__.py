"""The keywords, one module for each topic; with library.py the only code that imports robot."""
