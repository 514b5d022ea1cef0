"""Audio in and out for every verb: samples as float32 [channels, samples] in [-1, 1], read whole or in blocks, and written.

Reading goes decoder -> remove NaN -> check levels -> mono -> resample, block by block; `read` only joins the blocks, so that
short and long files take one and the same way.
"""

import io
import math
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UsageError
from ..options import CHANNEL
from . import blocks, encoders, mixdown
from .decoders import Decoder
from .encoders import Writer, fitting, format_of, open_writer
from .libsndfile import RawFormat, parse_raw

__all__ = [
    "EXTENSIONS", "Audio", "RawFormat", "Stream", "Writer", "fitting", "format_of", "open_stream", "open_writer", "parse_raw",
    "read", "write",
]  # fmt: skip

# Suffixes that are audio, or video with a sound track, when a folder is walked; a file named by itself may have any.
EXTENSIONS = frozenset({
    ".3g2", ".3gp", ".aac", ".ac3", ".adts", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".asf", ".au", ".avi", ".awb", ".bwf",
    ".caf", ".dsf", ".dts", ".eac3", ".ec3", ".f4v", ".flac", ".flv", ".m2ts", ".m4a", ".m4b", ".m4r", ".m4v", ".mka", ".mkv",
    ".mov", ".mp1", ".mp2", ".mp3", ".mp4", ".mpc", ".mpeg", ".mpg", ".mpga", ".mxf", ".nist", ".oga", ".ogg", ".ogv",
    ".opus", ".ra", ".rf64", ".rm", ".snd", ".sph", ".spx", ".tak", ".tta", ".vob", ".voc", ".w64", ".wav", ".wave",
    ".weba", ".webm", ".wma", ".wmv", ".wv",
})  # fmt: skip

File = str | os.PathLike[str] | BinaryIO


@dataclass(frozen=True, slots=True)
class Audio:
    """Samples [channels, samples] in [-1, 1] (files of floats may go beyond), Hz, and the name that it goes by."""

    samples: NDArray[np.float32]
    sample_rate: int
    name: str = ""

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.samples.shape[1] / self.sample_rate)


@dataclass(slots=True)
class Stream:
    """Audio that is being read: `blocks` once, float32 [channels, n], n > 0; rates in Hz.

    `source_*` is what the file has, the others what the blocks have; `source_subtype` is how it stores samples, in libsndfile's
    words (PCM_24), or None. `length` is what is going to come, in seconds, if the file's header is right, or None. `warnings`
    is complete after the last block.
    """

    name: str
    sample_rate: int
    channels: int
    source_rate: int
    source_channels: int
    length: float | None
    warnings: list[str]
    blocks: Iterator[NDArray[np.float32]]
    source_subtype: str | None = None


@contextmanager
def open_stream(
    file: File,
    *,
    name: str | None = None,
    raw: RawFormat | None = None,
    start: float = 0.0,
    duration: float | None = None,
    sample_rate: int | None = None,
    mono: bool = False,
    channel: str = "mix",
) -> Iterator[Stream]:
    """Open a path or a seekable binary file object (read from its first byte, left open) as a stream of blocks.

    `start` and `duration` are in seconds and cut at the source's samples; `sample_rate` in Hz (None: the source's). `mono`
    makes one channel: `channel` is mix (the mean, but where channels cancel each other out), best, left, right or a number
    from 1. A start beyond the end gives no blocks. Raises InputError, with a reason in one line and no name, and UsageError for
    the options.
    """
    _check_options(start, duration, sample_rate, channel)
    with _opened(file) as opened:
        decoder = Decoder(opened, raw, start, duration)
        try:
            yield _stream(decoder, _name(file, name), sample_rate or decoder.sample_rate, channel if mono else None)
        finally:
            decoder.close()


def read(
    file: File,
    name: str | None = None,
    *,
    raw: RawFormat | None = None,
    start: float = 0.0,
    duration: float | None = None,
    sample_rate: int | None = None,
    mono: bool = False,
    channel: str = "mix",
    warn: Callable[[str], None] | None = None,
) -> Audio:
    """Read all of what `open_stream` gives; `warn` is called with each warning."""
    with open_stream(
        file, name=name, raw=raw, start=start, duration=duration, sample_rate=sample_rate, mono=mono, channel=channel
    ) as stream:
        parts = list(stream.blocks) or [np.empty((stream.channels, 0), np.float32)]
        if warn:
            for warning in stream.warnings:
                warn(warning)
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return Audio(samples, stream.sample_rate, stream.name)


def write(target: File, audio: Audio, *, format: str, subtype: str | None = None) -> None:
    """Write audio to a path or a binary file object (a pipe too); format as `format_of` has it, subtype as PCM_24 or FLOAT.

    Raises UsageError and OutputError as `open_writer` does; BrokenPipeError passes through.
    """
    encoders.write(target, audio.samples, audio.sample_rate, format=format, subtype=subtype)


def _stream(decoder: Decoder, name: str, sample_rate: int, channel: str | None) -> Stream:
    """The blocks of a decoder after each step of reading; channel: the one to make of all, None to keep all."""
    channels = 1 if channel else decoder.channels
    flow = blocks.plausible(blocks.finite(decoder.blocks(), decoder.warnings), decoder.subtype, decoder.warnings)
    if channel:
        flow = mixdown.mono(flow, channel, decoder.sample_rate, decoder.channels, decoder.warnings)
    flow = blocks.resampled(flow, decoder.sample_rate, sample_rate, channels)
    planar = (np.ascontiguousarray(block.T) for block in flow if len(block))
    return Stream(
        name, sample_rate, channels, decoder.sample_rate, decoder.channels, decoder.length, decoder.warnings, planar,
        decoder.subtype,
    )  # fmt: skip


def _check_options(start: float, duration: float | None, sample_rate: int | None, channel: str) -> None:
    """UsageError for times, rates and channels that mean nothing."""
    if not (math.isfinite(start) and start >= 0):
        raise UsageError(f"start {start}: give seconds from 0 on")
    if duration is not None and not (math.isfinite(duration) and duration >= 0):
        raise UsageError(f"duration {duration}: give seconds from 0 on")
    if sample_rate is not None and not 0 < sample_rate < 2**31:
        raise UsageError(f"sample rate {sample_rate}: give Hz above 0")
    if not re.fullmatch(CHANNEL, channel):
        raise UsageError(f"channel {channel}: give mix, best, left, right or a number from 1")


@contextmanager
def _opened(file: File) -> Iterator[BinaryIO]:
    """The file, opened if it is a path; InputError says in plain words why it cannot be."""
    if not isinstance(file, str | os.PathLike):
        yield file
        return
    try:
        mode = os.stat(file).st_mode
        if stat.S_ISDIR(mode):
            raise InputError("is a folder")
        if not stat.S_ISREG(mode):  # opening a pipe without a writer would wait forever
            raise InputError("is not a regular file; a pipe can be read as -")
        opened = io.FileIO(file)
    except FileNotFoundError as error:
        raise InputError("no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason.lower()}") from error
    with opened:
        yield opened


def _name(file: File, name: str | None) -> str:
    """The name given, else that of the file."""
    if name is not None:
        return name
    return os.fspath(file) if isinstance(file, str | os.PathLike) else str(getattr(file, "name", ""))
