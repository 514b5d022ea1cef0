"""Protocol buffers: what is read is written again, and nothing else is taken for a message."""

import pytest

from audiocli.protobuf import BYTES, FIXED_32, FIXED_64, VARINT, fields, first, message

ODD = [
    (1, FIXED_32, b"abcd"),
    (300, FIXED_64, b"12345678"),
    (2, VARINT, 2**40),
    (3, BYTES, b"x" * 200),
    (3, BYTES, b""),
]


def test_what_is_written_is_read_again():
    content = message(ODD)
    assert list(fields(content)) == ODD
    assert message(fields(content)) == content
    assert (first(content, 2), first(content, 3), first(content, 4)) == (2**40, b"x" * 200, b"")


def test_the_bytes_are_those_of_the_format():
    """The examples of https://protobuf.dev/programming-guides/encoding."""
    assert message([(1, VARINT, 150)]) == bytes.fromhex("089601")
    assert message([(2, BYTES, b"testing")]) == bytes.fromhex("120774657374696e67")
    assert list(fields(bytes.fromhex("1a03089601"))) == [(3, BYTES, bytes.fromhex("089601"))]


@pytest.mark.parametrize("content", [b"junk", b"\xff" * 9, message(ODD)[:-3], message(ODD)[:3], 7])
def test_what_is_no_message(content):
    with pytest.raises(ValueError, match="not a message"):
        list(fields(content))
