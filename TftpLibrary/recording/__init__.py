"""The record of all transfers: plain frozen values that any thread may read."""
