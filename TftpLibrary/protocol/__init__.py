"""TFTP as arithmetic: octets, options, phases and deadlines; no socket, thread, clock or log."""
