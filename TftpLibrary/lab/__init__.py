"""Labs: servers and clients at another host, beside the boards, for a test that runs here.

The runner and the lab half, which is `tftplibrary lab` at the other host, exchange JSON-RPC 2.0
messages and pieces of files over one stream; docs/labs.md describes it.
"""
