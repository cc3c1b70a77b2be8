"""The place of a server's files: a folder, memory, or both in layers."""
