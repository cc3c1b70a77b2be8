"""What boot loaders ask for: a table, read forwards for a board, and backwards over records."""
