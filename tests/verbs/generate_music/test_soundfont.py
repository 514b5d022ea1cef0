"""Root keys of zones in the headers of samples; files that are not soundfonts."""

import struct

import pytest

from audiocli.verbs.generate_music.soundfont import HEADER, KEY, ROOT_KEY, SAMPLE, corrected


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def font(zones, keys):
    """A soundfont of zones, each a list of (generator, value), and samples with these keys in their headers."""
    generators = [pair for zone in zones for pair in zone]
    starts = [sum(map(len, zones[:n])) for n in range(len(zones) + 1)]
    parts = chunk(b"ibag", b"".join(struct.pack("<HH", start, 0) for start in starts))
    parts += chunk(b"igen", b"".join(struct.pack("<Hh", *pair) for pair in generators))
    parts += chunk(b"shdr", b"".join(HEADER.pack(b"s", 0, 9, 0, 9, 44_100, key, 0, 0, 1) for key in keys))
    inner = b"sfbk" + chunk(b"LIST", b"sdta" + chunk(b"smpl", b"\1" * 3)) + chunk(b"LIST", b"pdta" + parts)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def test_the_root_key_of_most_zones_goes_into_the_header():
    zones = [
        [(ROOT_KEY, 73), (SAMPLE, 0)],
        [(52, -15), (ROOT_KEY, 80), (SAMPLE, 1)],
        [(ROOT_KEY, 81), (SAMPLE, 1)],
        [(ROOT_KEY, 81), (SAMPLE, 1)],
        [(SAMPLE, 2)],
        [(ROOT_KEY, -1), (SAMPLE, 3)],
        [(17, 3)],
        [(ROOT_KEY, 70), (SAMPLE, 99)],
    ]
    data = font(zones, [60, 60, 61, 62, 63])
    found = corrected(data)
    start = len(data) - 5 * HEADER.size
    assert [found[start + n * HEADER.size + KEY] for n in range(5)] == [73, 81, 61, 62, 63]
    changed = [n for n, (one, other) in enumerate(zip(data, found, strict=True)) if one != other]
    assert changed == [start + KEY, start + HEADER.size + KEY]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "does not begin"), (b"RIFF....WAVE", "does not begin"), (b"RIFF\0\0\0\0sfbk", "has no ibag, igen, shdr"),
     (font([[(SAMPLE, 0)]], [60])[:-20], "cut short")],
)  # fmt: skip
def test_what_is_no_soundfont(data, message):
    with pytest.raises(ValueError, match=message):
        corrected(data)
