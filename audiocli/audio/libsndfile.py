"""libsndfile, through soundfile: decoding of wav, flac, ogg, opus, mp3, aiff, au, caf, ..., and of samples without a header."""

import io
import re
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soundfile

from ..console import native
from ..errors import UsageError
from .blocks import Samples
from .kinds import kind_of, mpeg_frame, tag_length

# name -> (libsndfile's subtype, byte order)
ENCODINGS = {
    "u8": ("PCM_U8", "FILE"), "s8": ("PCM_S8", "FILE"),
    "s16le": ("PCM_16", "LITTLE"), "s16be": ("PCM_16", "BIG"),
    "s24le": ("PCM_24", "LITTLE"), "s24be": ("PCM_24", "BIG"),
    "s32le": ("PCM_32", "LITTLE"), "s32be": ("PCM_32", "BIG"),
    "f32le": ("FLOAT", "LITTLE"), "f32be": ("FLOAT", "BIG"),
    "f64le": ("DOUBLE", "LITTLE"), "f64be": ("DOUBLE", "BIG"),
    "ulaw": ("ULAW", "FILE"), "alaw": ("ALAW", "FILE"),
}  # fmt: skip
_BYTES = {
    "PCM_U8": 1, "PCM_S8": 1, "ULAW": 1, "ALAW": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8,
}  # fmt: skip
MAX_CHANNELS = 1024  # libsndfile's limit

# Not for libsndfile: MIDI sample dumps, whose faults it prints on standard output (FFmpeg reads them), and MPC2000, where
# two bytes are all the signature, so that any file that starts with them would be "audio". It also prints on a damaged packet
# table of ALAC in CAF, but FFmpeg does not help there: it takes the padding off the last packet twice.
_REFUSED = (b"\xf0\x7e", b"\x01\x04")
_UNKNOWN_FRAMES = 2**36 - 1  # what FLAC, and libsndfile for it, say for "no idea"; also 18 days at 44.1 kHz
# Streaming writers put such sizes into headers that they cannot come back to: 2 GiB - 4 KiB (sox) to 4 GiB - 1.
_UNKNOWN_BYTES = 0x7FFF_F000
_SLACK = 0.05  # s: an MP3 frame; less than that missing is not reported
_PADDING = 4  # frames of an MP3 that may fill up its end
_TAGS = 2**14  # bytes after the last frame that are not a reason to look for more
# libsndfile corrects the size of a cut file silently, but notes it in its log.
_CORRECTED = re.compile(r"^ ?(?:data|SSND|riff|  Riff size|  Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
_LOGS_SIZE = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU"})


@dataclass(frozen=True, slots=True)
class RawFormat:
    """The format of samples without a header: an encoding out of ENCODINGS, Hz, channels (interleaved)."""

    encoding: str
    sample_rate: int
    channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return _BYTES[ENCODINGS[self.encoding][0]] * self.channels


def parse_raw(text: str) -> RawFormat:
    """The format that a text such as s16le:16000:1 stands for; UsageError if none."""
    match text.split(":"):
        case [encoding, rate, channels] if encoding in ENCODINGS and _counts(rate) and _counts(channels):
            if int(channels) <= MAX_CHANNELS and int(rate) < 2**31:
                return RawFormat(encoding, int(rate), int(channels))
    raise UsageError(
        f"--raw {text}: give ENCODING:RATE:CHANNELS, as in s16le:16000:1; encodings are {', '.join(ENCODINGS)}"
    )


def _counts(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


class Lent:
    """A Python file lent to C callbacks, where an exception would be printed and lost: the first one is kept instead."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def seek(self, offset: int, whence: int = 0) -> int:
        with suppress(
            ValueError, OSError
        ):  # libsndfile tries offsets below 0 in cut files; tell() shows that it failed
            self.file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        return self.file.tell()

    def read(self, size: int) -> bytes:
        try:
            return self.file.read(size)
        except OSError as error:
            self.error = self.error or error
            return b""

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data) if self.error is None else 0
        except OSError as error:
            self.error = error
            return 0


class SoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no type stubs
    """A sound file that is read and written front to back.

    soundfile would seek to where it already is after each block: in a cut FLAC file that fails and the block is lost.
    """

    def seekable(self) -> bool:
        return False

    def can_seek(self) -> bool:
        """The message of libsndfile."""
        return bool(super().seekable())


class SoundfileDecoder:
    """A file that libsndfile opens; raises soundfile.LibsndfileError if it does not."""

    def __init__(self, file: BinaryIO, raw: RawFormat | None, promised: int | None = None) -> None:
        """promised: frames, where that is known and raw samples do not say it."""
        self._file, self._raw, self._promised = file, raw, promised
        self._size = file.seek(0, io.SEEK_END)
        self._sound = self._open()
        self.sample_rate, self.channels = self._sound.samplerate, self._sound.channels
        self.subtype: str | None = self._sound.subtype
        self._known = self._sound.frames < _UNKNOWN_FRAMES
        self._frames = self._sound.frames if self._known else sys.maxsize
        self._quiet = native.quiet if self._sound.format == "MP3" else nullcontext  # others print nothing once open
        self.damaged = False
        self.notes: list[str] = []
        self.position = 0  # frames given out or skipped

    def _open(self) -> SoundFile:
        self._file.seek(0)
        if self._raw is None and self._file.read(2) in _REFUSED:
            raise soundfile.LibsndfileError(1)  # SF_ERR_UNRECOGNISED_FORMAT
        self._file.seek(0)
        # By descriptor it needs no callbacks; and never by name, for libsndfile guesses from a suffix when all else fails.
        handle = self._file.fileno() if isinstance(self._file, io.FileIO) else Lent(self._file)
        with native.quiet():
            if self._raw is None:
                return SoundFile(handle, "r", closefd=False)
            subtype, order = ENCODINGS[self._raw.encoding]
            return SoundFile(
                handle, "r", self._raw.sample_rate, self._raw.channels, subtype, order, "RAW", closefd=False
            )

    def skip(self, n: int) -> None:
        """Go to frame n, or to the end."""
        n = min(n, self._frames)
        if n < self._frames and not self._seek(n):
            while self.position < n and len(self.read(min(n - self.position, 2**16))):
                pass
        else:
            self.position = n

    def _seek(self, n: int) -> bool:
        """Seek to frame n; False if libsndfile could not, and is at the start instead."""
        if n == 0:
            return True
        if not self._sound.can_seek():
            return False
        try:
            with native.quiet():
                self._sound.seek(n)
        except soundfile.LibsndfileError:
            self._sound.close()
            self._sound = self._open()
            return False
        return True

    def read(self, n: int) -> Samples:
        """The next frames [at most n, channels]; those decoded before an error count."""
        block = np.empty((min(n, self._frames - self.position), self.channels), np.float32)
        if not len(block):
            return block
        with self._quiet():
            try:
                got = len(self._sound.read(out=block))
            except soundfile.LibsndfileError:
                self.damaged = True
                got = self._gained()
        self.position += got
        return block[:got]

    def _gained(self) -> int:
        """Frames that a read gave before it failed."""
        try:
            return max(int(self._sound.tell()) - self.position, 0)
        except soundfile.LibsndfileError:
            return 0

    @property
    def unfinished(self) -> bool:
        """Whether FFmpeg may find more: in an empty file, one that ended before its time, or one that has bytes left."""
        if self._raw is not None:
            return False
        if not self._known:
            return self.damaged
        early = self._frames - self.position > _SLACK * self.sample_rate
        lost = self._sound.format == "OGG" and "Junk after the last page" in self._sound.extra_info
        return early or not self._frames or lost or self.rest > 0

    @property
    def rest(self) -> int:
        """Bytes behind the last frame that hold more sound, as in files put one after the other: libsndfile reads the first."""
        match self._sound.format:
            case "MP3":
                return _behind_mpeg(self._file, self._file.tell(), self._size)
            case "FLAC":
                return _behind_flac(self._file, self._file.tell(), self._size)
            case "OGG":
                return _behind_ogg(self._file, self._size)
        return 0

    @property
    def cut_off(self) -> bool:
        """Whether an Ogg file has no last page: then its length is unknown, but more than there is."""
        log = self._sound.extra_info if self._sound.format == "OGG" else ""
        return "lacks an end-of-stream" in log or "Junk after the last page" in log

    def promised(self) -> int | None:
        """Frames that the header promises, or None if it does not say."""
        if self._promised is not None or not self._known:
            return self._promised
        corrected = _CORRECTED.search(self._sound.extra_info) if self._sound.format in _LOGS_SIZE else None
        if corrected is None or _UNKNOWN_BYTES <= int(corrected[1]) < 2**32:
            return self._frames
        return max(1, self._frames * int(corrected[1]) // max(1, int(corrected[2])))

    def close(self) -> None:
        self._sound.close()


def _behind_mpeg(file: BinaryIO, place: int, size: int) -> int:
    """Bytes from a place on that are more than tags: frames, or too many."""
    while place < size:
        file.seek(place)
        head = file.read(_TAGS)
        if tag := tag_length(head):
            place += tag
            continue
        frames = kind_of(head) == "mp3" and size - place > _PADDING * mpeg_frame(head)
        more = frames or (size - place > _TAGS and head.strip(b"\0") != b"")
        return size - place if more else 0
    return 0


def _behind_flac(file: BinaryIO, place: int, size: int) -> int:
    """Bytes of another file, which may be short and in the decoder's buffer, or too many for tags."""
    if size - place > _TAGS:
        return size - place
    first = max(4, place - _TAGS)
    file.seek(first)
    index = file.read(size - first).find(b"fLaC\0\0\0\x22")
    return size - first - index if index >= 0 else 0


def _behind_ogg(file: BinaryIO, size: int) -> int:
    """Bytes from the page on that begins another stream, whatever its serial number; those at the start are one file's."""
    place, begun = 0, False
    while place < size:
        file.seek(place)
        head = file.read(27 + 255)
        if len(head) < 27 or not head.startswith(b"OggS"):
            return 0
        begins = bool(head[5] & 2)
        if begins and begun:
            return size - place
        begun |= not begins
        place += 27 + head[26] + sum(head[27 : 27 + head[26]])
    return 0
