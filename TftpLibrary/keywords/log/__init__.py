"""The log of a run: a card for each transfer, and a time axis when a test fails."""
