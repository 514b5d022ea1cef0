"""From samples to bytes: the formats that soundfile writes, block by block or all at once."""

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from ..errors import OutputError, UsageError
from .libsndfile import MAX_CHANNELS, Lent, SoundFile

Target = str | os.PathLike[str] | BinaryIO


class Kind(NamedTuple):
    """A file format: libsndfile's name, the default subtype, and what the format can hold."""

    major: str
    subtype: str
    subtypes: frozenset[str]
    max_channels: int = MAX_CHANNELS
    rates: tuple[int, ...] = ()  # Hz; none: any up to max_rate
    max_rate: int = 2**31 - 1


_WAV = frozenset({"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"})
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
# Checked here because libsndfile 1.2.2 crashes on some (Vorbis at 256 channels or above 200 kHz).
KINDS = {
    "wav": Kind("WAV", "PCM_16", _WAV | {"IMA_ADPCM", "MS_ADPCM", "GSM610"}),
    "flac": Kind("FLAC", "PCM_16", frozenset({"PCM_S8", "PCM_16", "PCM_24"}), max_channels=8, max_rate=655_350),
    "ogg": Kind("OGG", "VORBIS", frozenset({"VORBIS"}), max_channels=255, max_rate=200_000),
    "opus": Kind("OGG", "OPUS", frozenset({"OPUS"}), max_channels=255, rates=_OPUS_RATES),
    "mp3": Kind("MP3", "MPEG_LAYER_III", frozenset({"MPEG_LAYER_III"}), max_channels=2, rates=_MP3_RATES),
    "aiff": Kind("AIFF", "PCM_16", (_WAV - {"PCM_U8"}) | {"PCM_S8"}),
    "au": Kind("AU", "PCM_16", (_WAV - {"PCM_U8"}) | {"PCM_S8"}),
    "caf": Kind("CAF", "PCM_16", (_WAV - {"PCM_U8"}) | {"PCM_S8", "ALAC_16", "ALAC_24"}),
    "w64": Kind("W64", "PCM_16", _WAV),
    "rf64": Kind("RF64", "PCM_16", _WAV),
}
_SUFFIXES = {"aif": "aiff", "oga": "ogg", "wave": "wav", "snd": "au", "aifc": "aiff"}
_NEVER_EMPTY = frozenset(
    {"flac", "opus", "mp3"}
)  # without a sample libsndfile leaves no file: these get one of silence
_ABOVE_16_BITS = frozenset({"PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAC_20", "ALAC_24", "ALAC_32"})
_FEW_CHANNELS = {"GSM610": 1, "IMA_ADPCM": 2, "MS_ADPCM": 2, "ALAC_16": 8, "ALAC_24": 8}
_FOUR_GIB = 2**32 - 2**16  # wav and aiff count bytes in 32 bits
_PIECE = 4_096  # samples per write: libvorbis takes its memory from the stack, and 600 s at once would overflow it
_IN_MEMORY = 2**26  # bytes of output that wait in memory rather than in a temporary file


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file name's suffix stands for; UsageError if none."""
    suffix = PurePath(path).suffix.lower().removeprefix(".")
    name = _SUFFIXES.get(suffix, suffix)
    if name not in KINDS:
        raise UsageError(
            f"{os.fspath(path)}: cannot write {suffix or 'a file without suffix'}, only {', '.join(KINDS)}"
        )
    return name


def fitting(format: str, subtype: str | None) -> str | None:
    """The subtype in which a format keeps the samples of a file with this subtype; None: the format's default."""
    kind = KINDS[format]
    if subtype in kind.subtypes:
        return subtype
    return "PCM_24" if subtype in _ABOVE_16_BITS and "PCM_24" in kind.subtypes else None


class Writer:
    """Takes blocks, front to back."""

    def __init__(self, sound: SoundFile, lent: Lent) -> None:
        self._sound, self._lent = sound, lent
        self._sixteen = sound.subtype in ("PCM_16", "ALAC_16")
        self._counts_32_bits = sound.format in ("WAV", "AIFF")

    def write(self, block: NDArray[np.floating]) -> None:
        """Append a block [channels, samples] in [-1, 1]; what is beyond is clipped in integer formats.

        Raises OutputError for NaN and infinity (as a click they would be lost in a file), a full disk, more than 4 GiB.
        """
        if not np.isfinite(block).all():
            raise OutputError("the result has samples that are NaN or infinite")
        for i in range(0, block.shape[1], _PIECE):
            self._put(block[:, i : i + _PIECE].T)

    def _put(self, frames: NDArray[np.floating]) -> None:
        """Encode frames [n, channels]."""
        try:
            self._sound.write(rounded(frames) if self._sixteen else np.ascontiguousarray(frames, np.float32))
        except (soundfile.LibsndfileError, AssertionError) as error:  # soundfile asserts that all was written
            _check(self._lent)
            raise OutputError(f"cannot be encoded: {error}") from error
        _check(self._lent)
        if self._counts_32_bits and self._lent.tell() > _FOUR_GIB:
            raise OutputError("longer than 4 GiB, which wav and aiff cannot hold: use w64, rf64, caf or flac")


def rounded(frames: NDArray[np.floating]) -> NDArray[np.int16]:
    """Samples rounded to the nearest of 16 bits: libsndfile rounds down in wav (half a step of offset), though not in flac."""
    steps: NDArray[np.floating] = np.rint(np.clip(frames * 2.0**15, -(2**15), 2**15 - 1))
    return steps.astype(np.int16, order="C")


@contextmanager
def open_writer(
    target: Target, sample_rate: int, channels: int, *, format: str, subtype: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Writer]:  # fmt: skip
    """A writer of blocks to a path or to a binary file object; an object is written front to back, so it may be a pipe.

    tags: what the file says about itself (title, software, comment, as libsndfile names them), in formats that can.

    Raises UsageError for a format or subtype that does not exist, OutputError if the sound does not fit into it or the target
    cannot be written. BrokenPipeError passes through.
    """
    kind, subtype = _kind(format, subtype)
    _check_fit(format, kind, subtype, sample_rate, channels)
    with _opened(target) as file:
        lent = Lent(file)
        sound = SoundFile(lent, "w", sample_rate, channels, subtype, None, kind.major)
        with sound:
            for name, text in (tags or {}).items():
                setattr(sound, name, text)
            writer = Writer(sound, lent)
            yield writer
            if format in _NEVER_EMPTY and not sound.frames:
                writer.write(np.zeros((channels, 1), np.float32))
        _check(lent)


def write(
    target: Target, samples: NDArray[np.floating], sample_rate: int, *, format: str, subtype: str | None = None
) -> None:
    """Write samples [channels, samples] at `sample_rate` Hz; as `open_writer`."""
    with open_writer(target, sample_rate, samples.shape[0], format=format, subtype=subtype) as writer:
        writer.write(samples)


def _kind(format: str, subtype: str | None) -> tuple[Kind, str]:
    """The format and its subtype; UsageError with what there is."""
    if format not in KINDS:
        raise UsageError(f"no audio format {format!r}: {', '.join(KINDS)}")
    kind = KINDS[format]
    chosen = kind.subtype if subtype is None else subtype.upper()
    if chosen not in kind.subtypes:
        raise UsageError(f"{format} has no subtype {subtype}: {', '.join(sorted(kind.subtypes))}")
    return kind, chosen


def _check_fit(format: str, kind: Kind, subtype: str, sample_rate: int, channels: int) -> None:
    """OutputError if the format cannot hold this rate or that many channels."""
    if kind.rates and sample_rate not in kind.rates:
        raise OutputError(f"{format} cannot hold {sample_rate} Hz, only {', '.join(map(str, kind.rates))}")
    if not 0 < sample_rate <= kind.max_rate:
        raise OutputError(f"{format} cannot hold {sample_rate} Hz, only up to {kind.max_rate}")
    most = min(kind.max_channels, _FEW_CHANNELS.get(subtype, MAX_CHANNELS))
    if not 0 < channels <= most:
        raise OutputError(f"{format} ({subtype}) cannot hold {channels} channels, only up to {most}")


@contextmanager
def _opened(target: Target) -> Iterator[BinaryIO]:
    """A file that can seek (headers are completed at the end); for a pipe it is a temporary one, copied over when complete."""
    if isinstance(target, io.BufferedWriter) and target.seekable() and not target.tell():
        yield target
        return
    if isinstance(target, str | os.PathLike):
        with _reported():
            file = open(target, "wb")
        try:
            yield file
        finally:
            with _reported():
                file.close()
        return
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        yield spool  # type: ignore[misc]  # a BinaryIO in all but name
        with _reported():
            spool.seek(0)
            shutil.copyfileobj(spool, target)


@contextmanager
def _reported() -> Iterator[None]:
    """Errors of the system as OutputError; not those of the code that uses a writer, and not a closed pipe."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OutputError(f"disk full: {reason}" if full else f"cannot be written: {reason}") from error


def _check(lent: Lent) -> None:
    """Raise the error that writing met in a callback."""
    with _reported():
        if lent.error is not None:
            raise lent.error
