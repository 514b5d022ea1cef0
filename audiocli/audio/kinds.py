"""Kinds of files by their first bytes: signatures, the frames of MPEG audio, and the tags around them."""

import struct

_SIGNATURES = {
    b"RIFF": "wav", b"RF64": "rf64", b"BW64": "rf64", b"RIFX": "wav", b"riff": "w64", b"FORM": "aiff", b"fLaC": "flac",
    b"OggS": "ogg", b"ID3": "mp3", b".snd": "au", b"dns.": "au", b"caff": "caf", b"\x1aE\xdf\xa3": "matroska",
    b"0&\xb2u": "wma", b"#!AMR": "amr", b"wvpk": "wavpack", b"MAC ": "ape", b"TTA1": "tta", b"FLV\1": "flv",
}  # fmt: skip
FRAMES = 2**13  # bytes in which MPEG audio shows itself
_IN_A_ROW = 3  # frames; two bytes alone may be anything
_MPEG_RATES = (44_100, 48_000, 32_000)
# kbit/s by MPEG-1 or later (0, 1) and layer.
_KBITS = {
    (0, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (1, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (1, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (1, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def kind_of(head: bytes) -> str | None:
    """The kind of a file by its first FRAMES bytes (12 are enough for all but MPEG audio); None if unknown."""
    if head[4:8] == b"ftyp":
        return "mp4"
    return next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None) or _mpeg(head)


def _mpeg(head: bytes) -> str | None:
    """mp3 (any layer) or aac, where frames follow one another."""
    for kind, length in (("mp3", mpeg_frame), ("aac", _adts_frame)):
        places = [0]
        while len(places) <= _IN_A_ROW and (n := length(head[places[-1] :])):
            places.append(places[-1] + n)
        if len(places) > _IN_A_ROW or (len(places) > 1 and places[-1] == len(head)):
            return kind
    return None


def mpeg_frame(head: bytes) -> int:
    """Bytes of the frame of MPEG audio (ISO 11172-3, 13818-3) that begins here; 0 if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return 0
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    bits, rate, fill = head[2] >> 4, (head[2] >> 2) & 3, (head[2] >> 1) & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return 0
    later = version != 3
    hz = _MPEG_RATES[rate] >> (later + (version == 0))
    bit_rate = 1000 * _KBITS[later, layer][bits - 1]
    if layer == 1:
        return (12 * bit_rate // hz + fill) * 4
    return (72 if later and layer == 3 else 144) * bit_rate // hz + fill


def _adts_frame(head: bytes) -> int:
    """Bytes of the frame of AAC that begins here, as ADTS has it; 0 if none does."""
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    length = (struct.unpack_from(">I", head, 2)[0] >> 5) & 0x1FFF
    return length if length > 7 else 0


def tag_length(head: bytes) -> int:
    """Bytes of the ID3 or APE tag that begins here, by its first 16; 0 if none does."""
    if head.startswith(b"TAG"):
        return 128
    if head.startswith(b"ID3") and len(head) >= 10:
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head.startswith(b"APETAGEX") and len(head) >= 16:
        return 32 + int.from_bytes(head[12:16], "little")
    return 0
