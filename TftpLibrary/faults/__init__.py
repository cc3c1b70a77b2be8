"""Faults on purpose: pure rules for what happens to the datagrams of a transfer."""
