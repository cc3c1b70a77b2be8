"""The questions of a test about transfers, and the texts that explain the answers."""
