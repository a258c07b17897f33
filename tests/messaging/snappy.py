"""A record batch as a client with `compression.type=snappy` sends it. Sources: Kafka's record batch, snappy's format."""

from __future__ import annotations

import struct

from aiokafka.record.util import calc_crc32c

LENGTH, CRC, ATTRIBUTES, RECORDS = 8, 17, 21, 61
"""Where these stand in a batch of format 2."""
CODEC = 2
LITERAL = 60


def compressed(batch: bytes) -> bytes:
    made = bytearray(batch[:RECORDS] + _literals(batch[RECORDS:]))
    (attributes,) = struct.unpack_from(">h", made, ATTRIBUTES)
    struct.pack_into(">h", made, ATTRIBUTES, attributes | CODEC)
    struct.pack_into(">i", made, LENGTH, len(made) - LENGTH - 4)
    return sealed(made)


def sealed(batch: bytearray) -> bytes:
    """With the checksum that fits."""
    struct.pack_into(">I", batch, CRC, calc_crc32c(bytes(batch[ATTRIBUTES:])))
    return bytes(batch)


def _literals(raw: bytes) -> bytes:
    """Valid snappy that saves nothing: the length, then literals only."""
    out = bytearray()
    length = len(raw)
    while length >= 128:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    for begin in range(0, len(raw), LITERAL):
        chunk = raw[begin : begin + LITERAL]
        out.append((len(chunk) - 1) << 2)
        out += chunk
    return bytes(out)
