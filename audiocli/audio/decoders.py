"""From bytes to samples: libsndfile as far as it goes, FFmpeg for what it does not know or gives up on.

Both are pulled: `read(n)` gives the next frames [at most n, channels], and none at the end. `Decoder` has the two of them
behind one interface, and finds out at the end whether the file kept what its header promised.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

import soundfile

from ..errors import InputError
from .blocks import Samples, block_length
from .ffmpeg import FFmpegDecoder
from .kinds import kind_of
from .libsndfile import RawFormat, SoundfileDecoder
from .spans import SLACK, Layout, Spans, layout


class Decoder:
    """A file from `start` s on for `duration` s (None: to its end), by whichever decoder can read it.

    The first block is read at once, for only then is it certain that one can: InputError if none. `blocks` is to be read once.
    """

    def __init__(self, file: BinaryIO, raw: RawFormat | None, start: float, duration: float | None) -> None:
        self.warnings: list[str] = []
        self._file, self._start, self._duration = file, start, duration
        size = file.seek(0, io.SEEK_END)  # not later: libsndfile reads through the same descriptor
        self._layout = layout(file) if raw is None else None
        self._part = _opened(file, size, raw, self._layout)
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
            self.warnings.append(odd_bytes(odd))

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
                rest = self._part.rest
                block = self._go_on(rest)
                if rest and not len(block) and not self._part.cut_off:
                    self.warnings.append(
                        f"the file goes on after its sound: {rest} bytes that cannot be read, left out"
                    )
        if self._left != 0:
            self.warnings += self._layout.notes if self._layout else []
            self.warnings += shortcomings(self._part, self._promised)
        self.warnings += self._part.notes

    def _why_none(self) -> str:
        """The reason why there are no samples in the span that was asked for."""
        if self._duration is not None and self._duration * self.sample_rate < 1.0:
            return f"--duration {self._duration:g} is less than one sample"
        long = self._part.position / self.sample_rate
        return f"nothing after --start {self._start:g}: it is {long:.1f} s long" if self._start else "holds no sound"

    def _go_on(self, rest: int) -> Samples:
        """The next frames by FFmpeg, where libsndfile stopped before the end; none if FFmpeg cannot do better."""
        done, file = self._part.position, self._file
        file.seek(-rest, io.SEEK_END)
        anew = (
            rest > 0 and file.read(4) == b"fLaC"
        )  # after a short file FFmpeg loses what follows, so that is read by itself
        try:
            if anew:
                file = cast(BinaryIO, Spans(file, [(file.tell() - 4, rest)]))
            part = FFmpegDecoder(file, like=(self.sample_rate, self.channels))
        except InputError:
            return self._part.read(0)
        if anew:
            part.position = done
        else:
            part.skip(done)
        part.damaged |= self._part.damaged
        before, self._part = self._part, part
        block = self._read()
        if not len(block):
            before, self._part = part, before
        before.close()
        return block

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


def shortcomings(part: SoundfileDecoder | FFmpegDecoder, promised: int | None) -> list[str]:
    """Warnings about a file that was read to its end; promised: frames."""
    there = part.position / part.sample_rate
    messages = discrepancy(there, (promised or 0) / part.sample_rate)
    if not messages and part.cut_off:
        return [f"the file ends early, at {there:.1f} s: what follows is missing or cannot be read"]
    if not messages and part.damaged and not part.notes:
        return ["the file is damaged: parts of it may be missing or wrong"]
    return messages


def discrepancy(there: float, promised: float) -> list[str]:
    """Warnings where the seconds read differ from those promised (0: none)."""
    if promised - there > SLACK:
        return [f"the file ends early: {there:.1f} of {promised:.1f} s"]
    if promised and there - promised > SLACK:
        return [f"the file goes on after the {promised:.1f} s that its header promises: {there:.1f} s"]
    return []


def odd_bytes(n: int) -> str:
    """The warning about n bytes left at the end of raw samples."""
    return f"{n} bytes at the end are not a whole sample: left out"


def _opened(
    file: BinaryIO, size: int, raw: RawFormat | None, layout: Layout | None
) -> SoundfileDecoder | FFmpegDecoder:
    """The decoder that knows the file of `size` bytes; InputError with the most helpful reason if none does."""
    if not size and raw is None:
        raise InputError("empty file")
    if layout and layout.raw and layout.beyond:
        return _plain(file, layout)
    try:
        return SoundfileDecoder(file, raw)
    except soundfile.LibsndfileError as error:
        if raw is not None:
            raise InputError("cannot be read as raw audio") from error
    if layout and layout.raw:  # a format chunk of 14 bytes: FFmpeg takes its samples for 8 bits
        return _plain(file, layout)
    try:
        return FFmpegDecoder(file)
    except InputError as error:
        file.seek(0)
        kind = kind_of(file.read(12))
        if kind and "not an audio file" in str(error):
            raise InputError(f"damaged or unsupported {kind} file") from error
        raise


def _plain(file: BinaryIO, layout: Layout) -> SoundfileDecoder:
    """The samples where they lie: libsndfile stops where a header does, and ignores a second data chunk."""
    return SoundfileDecoder(cast(BinaryIO, Spans(file, layout.spans)), layout.raw, layout.promised)
