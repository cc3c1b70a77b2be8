"""What happened, kept as plain frozen values that any thread may read."""
