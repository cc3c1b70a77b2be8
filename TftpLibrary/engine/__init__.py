"""The only code that opens sockets, starts threads and reads the clock."""
