"""Decoding by FFmpeg, through PyAV: m4a, aac, mp4, webm, mkv, amr, wma, ac3, and what libsndfile gives up on.

PyAV is imported inside functions, for it takes 70 ms. Files are handed over as Python objects, never as names: FFmpeg would take a
name for an address, and some formats (playlists) open other files. Those formats are not on the list either.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import chain, groupby
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError
from .blocks import Samples, resampled

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Containers of sound that carry it themselves. Left out: playlists (they open other files or the network), subtitles,
# pictures, and raw formats without a signature (any text would do).
CONTAINERS = (
    "mov", "matroska", "asf", "avi", "flv", "mpeg", "mpegts", "aac", "loas", "ac3", "eac3", "amr", "amrnb", "amrwb", "mp3",
    "ogg", "flac", "wav", "w64", "aiff", "caf", "au", "ape", "wv", "tta", "tak", "dts", "dtshd", "truehd", "mlp", "mpc",
    "mpc8", "rm", "voc", "oma", "xwma", "dsf", "wtv", "mxf", "nut", "sds",
)  # fmt: skip
# Their headers give the length of the sound to the sample; elsewhere it is a guess from the bit rate.
_EXACT = frozenset({"mov", "flac", "caf"})
# Half-open windows at the start of a stream: a decoder gives them out as sound where the container does not say "skip"
# (raw ADTS and AC-3, MPEG-TS, FLV). All encoders have at least these. AAC: the first frame (1,024 samples, 2,048 with SBR).
_PRIMING = {"ac3": 256, "eac3": 256}
_OVERHANG = 8_192  # samples: the last packets of an AAC track pass its end by less than this
_TOO_MANY_PLANES = 8
_AT_ONCE, _AS_IT_COMES = 2**15, 2**12  # bytes that are read of a file, and of a pipe, where many would be late
_SCALE = {"u8": 2.0**-7, "s16": 2.0**-15, "s32": 2.0**-31, "flt": 1.0, "dbl": 1.0}


class FFmpegDecoder:
    """One audio track, pulled by `read`; `like` = (Hz, channels) that all of it is brought to, else those of its first frame.

    Raises InputError if there is no track, or nothing in it can be decoded.
    """

    def __init__(self, file: BinaryIO, like: tuple[int, int] | None = None) -> None:
        self.subtype: str | None = None  # FFmpeg's names are others, and most of its formats store no samples
        self.damaged = False
        self.unfinished = False  # no decoder is left to try after this one
        self.cut_off = False
        self.rest = 0  # bytes: it reads to the end
        self.notes: list[str] = []
        self.position = 0  # frames given out or skipped
        self._told_to_skip: bool | None = None
        self._converts: tuple[str, str, int, int] | None = None
        self._converter: AudioResampler
        self._file = _Lent(file)
        self._container = _open(self._file)
        try:
            self._stream = _audio_track(self._container)
            self._formats = frozenset(self._container.format.name.split(","))
            self._begin(like)
        except BaseException:
            self._container.close()
            raise

    def _begin(self, like: tuple[int, int] | None) -> None:
        """Decode the first frame: only then rate and channels are certain (SBR doubles the rate, headers may lie)."""
        frames = self._decoded()
        first = next(frames, None)
        if first is None and (self.damaged or not self._may_be_empty()):
            raise InputError("damaged audio: nothing in it can be decoded")
        own = self._stream.codec_context
        shape = (first.sample_rate, first.layout.nb_channels) if first else (own.sample_rate, own.channels)
        self.sample_rate, self.channels = like or shape
        if min(self.sample_rate, self.channels) < 1:
            raise InputError("damaged audio: no sample rate")
        self.is_deep = first is not None and first.format.packed.name == "s32"  # more than 16 bits, and not lossy
        self._priming = self._unheard(first)
        steady = self._steady(chain([first] if first else [], frames))
        self._parts = _up_to(steady, self.promised())
        self._rest: Samples = np.empty((0, self.channels), np.float32)

    def _may_be_empty(self) -> bool:
        """Whether a track without a packet is a valid one: a recording that was stopped at once."""
        return bool(self._formats & {"mov", "matroska"}) and self._stream.codec_context.sample_rate > 0

    def promised(self) -> int | None:
        """Frames that the header promises, or None if it does not say."""
        length, unit = self._stream.duration, self._stream.time_base
        if not (self._formats & _EXACT and length and unit):
            return None
        return round(length * unit * self.sample_rate)

    def skip(self, n: int) -> None:
        """Decode n frames and drop them: exact in every container, at some thousand times real time."""
        while self.position < n and len(self.read(min(n - self.position, 2**16))):
            pass

    def read(self, n: int) -> Samples:
        """The next frames [at most n, channels]; fewer only at the end."""
        block = np.empty((n, self.channels), np.float32)
        have = 0
        while have < n:
            part = self._rest if len(self._rest) else next(self._parts, None)
            if part is None:
                break
            taken = min(len(part), n - have)
            block[have : have + taken] = part[:taken]
            self._rest = part[taken:]
            have += taken
        self.position += have
        return block if have == n else block[:have].copy()

    def blocks(self) -> Iterator[Samples]:
        """Frames [n, channels] as they come, n > 0."""
        for part in self._parts:
            self.position += len(part)
            yield part

    def close(self) -> None:
        """Close the container; the file stays open."""
        self._container.close()

    def _decoded(self) -> Iterator[AudioFrame]:
        """The frames of the track; packets that cannot be decoded are left out and remembered as damage."""
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                self.damaged |= self._file.failed
                if packet is None:
                    return
                if self._told_to_skip is None:
                    self._told_to_skip = packet.has_sidedata("skip_samples")
                frames = packet.decode()
            except (av.FFmpegError, OSError, IndexError):  # IndexError: PyAV stumbles on tracks that turn up late
                self.damaged = True  # an error of demux() ends its generator, so the next turn is the last
                continue
            yield from (frame for frame in frames if frame.samples)

    def _steady(self, frames: Iterator[AudioFrame]) -> Iterator[Samples]:
        """Frames as arrays [n, channels] of one rate and one number of channels, though both may change on the way."""
        for rate, run in groupby(frames, lambda frame: frame.sample_rate):
            yield from resampled(map(self._block, run), rate, self.sample_rate, self.channels)

    def _block(self, frame: AudioFrame) -> Samples:
        """A frame [n, channels], without priming."""
        block = self._remixed(_samples(self._interleaved(frame)))[self._priming :]
        self._priming = 0
        return block

    def _interleaved(self, frame: AudioFrame) -> AudioFrame:
        """The frame, in a form that PyAV (18.1) can read: it runs over the end of the list of planes if there are 8 or more."""
        import av

        count = frame.layout.nb_channels
        if frame.format.packed.name in _SCALE and not (frame.format.is_planar and count >= _TOO_MANY_PLANES):
            return frame
        kind = (frame.format.name, frame.layout.name, count, frame.sample_rate)
        if kind != self._converts:
            self._converts, self._converter = kind, av.AudioResampler(format="flt")
        try:
            return self._converter.resample(frame)[0]
        except (av.FFmpegError, IndexError) as error:
            raise InputError(f"damaged audio: {frame.format.name} with {count} channels") from error

    def _remixed(self, block: Samples) -> Samples:
        """The block [n, any] with the track's number of channels; if that changes, each gets the mean of all."""
        if block.shape[1] == self.channels:
            return block
        note = f"the number of channels changes: all of it is read as {self.channels}"
        if note not in self.notes:
            self.notes.append(note)
        mean = block.mean(axis=1, keepdims=True, dtype=np.float32)
        return np.broadcast_to(mean, (len(block), self.channels))

    def _unheard(self, first: AudioFrame | None) -> int:
        """The number of samples at the start that are not sound although the container does not say so."""
        codec = self._stream.codec_context.name
        if first is None or self._told_to_skip:
            return 0
        return first.samples if codec == "aac" else _PRIMING.get(codec, 0)


class _Lent:
    """A file lent to FFmpeg's callbacks, where PyAV keeps one exception and prints the next: errors are values there."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.failed = file, False
        self.seekable, self.tell = file.seekable, file.tell
        name = getattr(file, "name", None)  # its suffix counts where nothing else identifies the format
        self.name = os.fsdecode(name) if isinstance(name, str | os.PathLike) else "<none>"

    def read(self, n: int) -> bytes:
        """The next bytes; none at the end, and where they cannot be read."""
        try:
            return self.file.read(n)
        except OSError:
            self.failed = True
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        """The new place, or FFmpeg's error number: damaged files send it before their first byte."""
        try:
            return self.file.seek(offset, whence)
        except (OSError, ValueError):
            return -errno.EINVAL


def _open(lent: _Lent) -> InputContainer:
    """The container; InputError if FFmpeg does not know it."""
    import av

    av.logging.set_level(None)
    if lent.seekable():
        lent.file.seek(0)
    size = _AT_ONCE if lent.seekable() else _AS_IT_COMES
    options = {"format_whitelist": ",".join(CONTAINERS)}
    try:
        return av.open(lent, "r", options=options, metadata_errors="replace", buffer_size=size)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError("not an audio file") from error


def _audio_track(container: InputContainer) -> AudioStream:
    """The track that a player would choose."""
    track = container.streams.best("audio")
    if track is None:
        raise InputError("no audio track")
    if track.codec_context is None:
        raise InputError("no decoder for its audio track")
    return track  # type: ignore[return-value]  # best("audio") gives no other


def _samples(frame: AudioFrame) -> Samples:
    """A frame as float32 [n, channels] in [-1, 1]."""
    kind = frame.format.packed.name
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if kind == "flt":
        return values.astype(np.float32, copy=False)
    centre = 128.0 if kind == "u8" else 0.0
    return ((values - centre) * _SCALE[kind]).astype(np.float32)


def _up_to(parts: Iterator[Samples], end: int | None) -> Iterator[Samples]:
    """Parts up to the frame `end`, where the last packet passes it; a track that goes on far beyond has a wrong length."""
    held: list[Samples] = []
    position = 0
    for part in parts:
        position += len(part)
        if end is None or position <= end:
            yield part
            continue
        held.append(part)
        if position - end > _OVERHANG:
            yield from held
            held, end = [], None
    if held and end is not None:
        last = np.concatenate(held)
        yield last[: len(last) - (position - end)]
