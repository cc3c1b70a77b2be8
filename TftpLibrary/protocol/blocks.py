"""Block numbers: absolute ones inside, 16 bits on the wire.

RFC 1350 section 5 numbers blocks from 1 and does not say what follows 65535. Nearly every
implementation goes on with 0; a few go on with 1, which tftp-hpa's `rollover` option names.
Inside, a block is an absolute number without bound, so a file has no size limit.
"""

from __future__ import annotations

HIGHEST_WIRE_BLOCK = 65535


def to_wire(block: int, rollover: int = 0) -> int:
    """Returns the 16 bits that stand for a block; block 0 is 0 with either rollover."""
    if block <= HIGHEST_WIRE_BLOCK:
        return block
    return (block - rollover) % (65536 - rollover) + rollover


def from_wire(wire_block: int, base: int, rollover: int = 0) -> int:
    """Returns the first block from `base` on that has this number on the wire.

    An impossible number (0 after the start, with rollover 1) gives a block before `base`.
    """
    if base == 0:
        # Before any rollover, 0 is block 0.
        return wire_block
    if wire_block < rollover:
        return base - 1
    return base + (wire_block - to_wire(base, rollover)) % (65536 - rollover)


def back_from_wire(wire_block: int, newest: int, rollover: int = 0) -> int:
    """Returns the last block up to `newest` that had this number on the wire; 0 if none had."""
    if wire_block < rollover:
        return 0
    behind = (to_wire(newest, rollover) - wire_block) % (65536 - rollover)
    return max(0, newest - behind)


def last_block(size: int, blksize: int) -> int:
    """Returns the number of the short block that ends a file (RFC 1350, section 6)."""
    return size // blksize + 1
