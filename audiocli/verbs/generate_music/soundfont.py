"""Soundfonts as symusic's player needs them: it ignores the root key that a zone gives its sample (SoundFont 2.04, 8.1.2).

Played as it is, a note of TimGM6mb sounds up to two octaves too high: the headers of its samples all say 60. So the root key goes
into the header; where zones disagree about a sample, most of them win.
"""

import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

ROOT_KEY, SAMPLE = 58, 53  # generators
BAG, GENERATOR, HEADER = struct.Struct("<HH"), struct.Struct("<Hh"), struct.Struct("<20sIIIIIBbHH")
KEY = 40  # bytes from the start of a header to its key

Chunks = dict[bytes, tuple[int, int]]  # where the data of each begins, and its bytes


def corrected(data: bytes) -> bytes:
    """The soundfont with the root keys of its zones in the headers of their samples. Raises ValueError, saying what is wrong."""
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise ValueError("it does not begin as a SoundFont file does")
    chunks = _chunks(data)
    headers = _records(chunks, b"shdr", HEADER)
    keys: dict[int, Counter[int]] = defaultdict(Counter)
    for zone in _zones(data, chunks):
        if zone.get(SAMPLE, len(headers)) < len(headers):
            own = data[headers[zone[SAMPLE]] + KEY]
            keys[zone[SAMPLE]][zone[ROOT_KEY] if 0 <= zone.get(ROOT_KEY, -1) <= 127 else own] += 1
    result = bytearray(data)
    for sample, votes in keys.items():
        result[headers[sample] + KEY] = votes.most_common(1)[0][0]
    return bytes(result)


def _zones(data: bytes, chunks: Chunks) -> Iterator[dict[int, int]]:
    """The generators of each zone of an instrument."""
    generators = _records(chunks, b"igen", GENERATOR)
    bags = [BAG.unpack_from(data, at)[0] for at in _records(chunks, b"ibag", BAG)]
    for first, last in pairwise(bags):
        yield dict(GENERATOR.unpack_from(data, at) for at in generators[first:last])


def _chunks(data: bytes) -> Chunks:
    """The chunks inside the lists of a soundfont."""
    chunks: Chunks = {}
    for name, at, length in _walk(data, 12, len(data)):
        if name == b"LIST":
            chunks |= {inner: (place, size) for inner, place, size in _walk(data, at + 4, at + length)}
    if missing := {b"shdr", b"ibag", b"igen"} - set(chunks):
        raise ValueError(f"it has no {b', '.join(sorted(missing)).decode()}")
    return chunks


def _walk(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at + 8 <= end:
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + length > len(data):
            raise ValueError("it is cut short")
        yield data[at : at + 4], at + 8, length
        at += 8 + length + length % 2


def _records(chunks: Chunks, name: bytes, form: struct.Struct) -> range:
    """The offsets of the records of a chunk."""
    at, length = chunks[name]
    return range(at, at + length // form.size * form.size, form.size)
