"""From bytes to samples: libsndfile as far as it goes, FFmpeg for what it does not know or gives up on.

Both are pulled: `read(n)` gives the next frames [at most n, channels], and none at the end. `Decoder` has the two of them
behind one face, and finds out at the end whether the file kept what its header promised.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

import soundfile

from ..errors import InputError
from .blocks import Samples, block_length
from .ffmpeg import FFmpegDecoder
from .libsndfile import RawFormat, SoundfileDecoder

_SLACK = 0.1  # s: less than that missing is no news (an MP3 frame, a rounded header)
_SIGNATURES = {
    b"RIFF": "wav", b"RF64": "rf64", b"RIFX": "wav", b"riff": "w64", b"FORM": "aiff", b"fLaC": "flac", b"OggS": "ogg",
    b"ID3": "mp3", b".snd": "au", b"caff": "caf", b"\x1aE\xdf\xa3": "matroska", b"0&\xb2u": "wma", b"#!AMR": "amr",
}  # fmt: skip


class Decoder:
    """A file from `start` s on for `duration` s (None: to its end), by whichever decoder can read it.

    The first block is read at once, for only then it is certain that one can: InputError if none. `blocks` is to be read once.
    """

    def __init__(self, file: BinaryIO, raw: RawFormat | None, start: float, duration: float | None) -> None:
        self.warnings: list[str] = []
        self._file, self._start, self._duration = file, start, duration
        size = file.seek(0, io.SEEK_END)  # not later: libsndfile reads through the same descriptor
        self._part = _opened(file, size, raw)
        try:
            self._first = self._begin()
            if not len(self._first) and self._part.unfinished:
                self._begin_again()
        except BaseException:
            self._part.close()
            raise
        self.sample_rate, self.channels = self._part.sample_rate, self._part.channels
        self.subtype = self._part.subtype
        self._promised = self._part.promised()
        if raw is not None and (odd := size % raw.frame_bytes):
            self.warnings.append(f"{odd} bytes at the end are no whole sample: left out")

    def _begin(self) -> Samples:
        """Go to the start and read the first block."""
        rate = self._part.sample_rate
        begin = round(self._start * rate)
        self._part.skip(begin)
        end = None if self._duration is None else round((self._start + self._duration) * rate)
        self._left = None if end is None else end - begin
        return self._read()

    def _begin_again(self) -> None:
        """The first block by FFmpeg, where libsndfile found none; that is right if the file is whole and empty."""
        before = self._part
        try:
            self._part = FFmpegDecoder(self._file)
        except InputError as error:
            if before.damaged or before.cut_off or before.promised():
                raise InputError("damaged audio: nothing in it can be decoded") from error
            return
        before.close()
        self._first = self._begin()

    def _read(self) -> Samples:
        """The next frames, none beyond `duration`."""
        length = block_length(self._part.channels)
        block = self._part.read(length if self._left is None else min(length, self._left))
        if self._left is not None:
            self._left -= len(block)
        return block

    def blocks(self) -> Iterator[Samples]:
        """Frames [n, channels], n > 0; `warnings` is complete after the last."""
        block = self._first
        self._first = block[:0]
        if not len(block):
            self.warnings.append(self._why_none())
        while len(block):
            yield block
            block = self._read()
            if not len(block) and self._left != 0 and self._part.unfinished:
                block = self._go_on()
        if self._left != 0:
            self._take_stock()
        self.warnings += self._part.notes

    def _why_none(self) -> str:
        """Where the samples are that were asked for, when there are none."""
        if self._duration is not None and self._duration * self.sample_rate < 1.0:
            return f"--duration {self._duration:g} is less than one sample"
        long = self._part.position / self.sample_rate
        return f"nothing after --start {self._start:g}: it is {long:.1f} s long" if self._start else "holds no sound"

    def _go_on(self) -> Samples:
        """The next frames by FFmpeg, where libsndfile stopped before the end; none if FFmpeg cannot do better."""
        try:
            part = FFmpegDecoder(self._file, like=(self.sample_rate, self.channels))
        except InputError:
            return self._part.read(0)
        part.skip(self._part.position)
        part.damaged |= self._part.damaged
        before, self._part = self._part, part
        block = self._read()
        if not len(block):
            before, self._part = part, before
        before.close()
        return block

    def _take_stock(self) -> None:
        """Compare what there was with what was promised."""
        there = self._part.position / self.sample_rate
        promised = (self._promised or 0) / self.sample_rate
        if promised - there > _SLACK:
            self.warnings.append(f"the file ends early: {there:.1f} of {promised:.1f} s")
        elif self._promised and there - promised > _SLACK:
            self.warnings.append(f"the file goes on after the {promised:.1f} s that its header promises: {there:.1f} s")
        elif self._part.cut_off:
            self.warnings.append(f"the file ends early, at {there:.1f} s: what follows is missing or cannot be read")
        elif self._part.damaged and not self._part.notes:
            self.warnings.append("the file is damaged: parts of it may be missing or wrong")

    @property
    def length(self) -> float | None:
        """Seconds that will be read if the header is right, or None if it does not say."""
        if self._promised is None:
            return self._duration
        rest = max(0.0, self._promised / self.sample_rate - self._start)
        return rest if self._duration is None else min(rest, self._duration)

    def close(self) -> None:
        """Close the decoder; the file stays open."""
        self._part.close()


def _opened(file: BinaryIO, size: int, raw: RawFormat | None) -> SoundfileDecoder | FFmpegDecoder:
    """The decoder that knows the file of `size` bytes; InputError with the most helpful reason if none does."""
    if not size and raw is None:
        raise InputError("empty file")
    try:
        return SoundfileDecoder(file, raw)
    except soundfile.LibsndfileError as error:
        if raw is not None:
            raise InputError("cannot be read as raw audio") from error
    try:
        return FFmpegDecoder(file)
    except InputError as error:
        kind = _kind(file)
        if kind and "not an audio file" in str(error):
            raise InputError(f"damaged or unsupported {kind} file") from error
        raise


def _kind(file: BinaryIO) -> str | None:
    """What the first bytes say the file is."""
    file.seek(0)
    head = file.read(12)
    if head[4:8] == b"ftyp":
        return "mp4"
    return next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None)
