"""What goes into a sound classifier, whichever it is, and what is made of its probabilities: labels of a file, events in time."""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import audio
from ...errors import InputError, UsageError, hint
from ...inputs import lists
from ...inputs.sources import Source, open_audio
from ...options import ClassifyOptions, FeaturesOptions, InputOptions
from ...records import Events, Label, Labels, Table, later
from ...run import batch
from ..features.analysis import Pass
from ..features.tables import feature_tables
from .course import Course
from .events import SILENCE, events, floor, with_edges
from .levels import Levels
from .tagger import Tagger

Floats = NDArray[np.float32]

IN_MEMORY = 30.0  # s; longer inputs go through block by block, each by itself
TOGETHER = 320.0  # s of audio of several inputs at once
WINDOWS = 64  # of a long input at once
EVENT_WINDOW, EVENT_HOP = 1.0, 0.1  # s
UNHEARD = 1e-5  # peak (-100 dBFS): silence, whatever the model says


@dataclass(frozen=True)
class Clip:
    """An input: the sound at its start, all of it where it is short, and the stream to read on from where it is not."""

    source: Source
    samples: Floats
    stream: audio.Stream
    opened: ExitStack  # closes the stream
    whole: bool

    @property
    def duration(self) -> float:
        """Seconds in memory."""
        return len(self.samples) / self.stream.sample_rate


@dataclass
class Heard:
    """An input on its way through the model: what is known of it so far."""

    clip: Clip
    course: Course
    count: int = 0  # samples
    peak: float = 0.0
    levels: Levels | None = None  # for the edges of events
    spectra: Pass | None = None  # for a picture

    def taken(self, samples: Floats) -> Floats:
        """Note a block that goes through."""
        self.count += len(samples)
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0.0)))
        if self.levels is not None:
            self.levels.push(samples)
        if self.spectra is not None:
            self.spectra.push(samples)
        return samples


class Work(batch.Work[Clip, Labels | Events]):
    """The runner of `audiocli classify`: inputs in, records out."""

    def __init__(
        self, tagger: Tagger, options: ClassifyOptions, reading: InputOptions, recorded: dict[str, Any], model: str,
        revision: str | None,
    ) -> None:  # fmt: skip
        self.options, self.reading, self._recorded, self._model, self._revision = (
            options,
            reading,
            recorded,
            model,
            revision,
        )
        self._tagger = tagger
        self._kept, self.labels = chosen(tagger.labels, options.labels)
        rate = tagger.sample_rate
        window = options.window or (min(EVENT_WINDOW, tagger.window) if options.events else tagger.window)
        usual = tagger.traits.hop if tagger.traits.hop and options.window is None else window
        hop = options.hop or (EVENT_HOP if options.events else usual)
        self._size, self._hop = max(round(window * rate), 1), max(round(hop * rate), 1)

    @property
    def grouping(self) -> batch.Grouping[Clip]:
        """Inputs of similar length together."""
        return batch.Grouping(cost=lambda clip: clip.duration, seconds=TOGETHER)

    def read(self, source: Source) -> Clip:
        """An input's sound, the start of it where it is long. Raises InputError."""
        limit, parts, opened = int(IN_MEMORY * self._tagger.sample_rate), list[Floats](), ExitStack()
        with opened:  # closed here unless what follows needs it
            stream = opened.enter_context(open_audio(source, self.reading, self._tagger.sample_rate))
            for block in stream.blocks:
                parts.append(block[0])
                if sum(map(len, parts)) > limit:
                    return Clip(source, np.concatenate(parts), stream, opened.pop_all(), whole=False)
        samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        return Clip(source, samples, stream, ExitStack(), whole=True)

    def __call__(self, batch: list[Clip]) -> list[Labels]:
        """A record for each input; the windows of short ones go through the model together."""
        every = [Heard(clip, self._course(), levels=self._levels(), spectra=self._spectra()) for clip in batch]
        self._hear([heard for heard in every if heard.clip.whole])
        for heard in every:
            if not heard.clip.whole:
                with heard.clip.opened:
                    self._hear_long(heard)
        return [self._record(heard) for heard in every]

    def _levels(self) -> Levels | None:
        return Levels(self._tagger.sample_rate) if self.options.events else None

    def _spectra(self) -> Pass | None:
        return Pass(FeaturesOptions(sample_rate=self._tagger.sample_rate)) if self.options.plot else None

    def _course(self) -> Course:
        least = floor(self._threshold) if self.options.events else math.inf
        return Course(len(self.labels), least, whole=self.options.plot is not None)

    def _hear(self, every: Sequence[Heard]) -> None:
        """Short inputs, together."""
        pieces = [list(self._windows([heard.taken(heard.clip.samples)])) for heard in every]
        found = self._probabilities([window for windows in pieces for window in windows])
        ends = np.cumsum([len(windows) for windows in pieces])[:-1]
        for heard, some in zip(every, np.split(found, ends) if every else (), strict=True):
            heard.course.add(some)

    def _hear_long(self, heard: Heard) -> None:
        """An input of any length, in constant memory but for what events are made of."""
        blocks = chain([heard.clip.samples], (block[0] for block in heard.clip.stream.blocks))
        windows = self._windows(heard.taken(block) for block in blocks)
        while some := list(islice(windows, WINDOWS)):
            heard.course.add(self._probabilities(some))

    def _windows(self, blocks: Iterable[Floats]) -> Iterator[Floats]:
        """Windows, each a hop after the last; for events window n is centred on n hops, else the last ends with the input."""
        size, hop = self._size, self._hop
        rest = np.zeros(size // 2 if self.options.events else 0, np.float32)
        whole = 0
        for block in blocks:
            rest = np.concatenate([rest, block])
            while len(rest) >= size:
                yield rest[:size]
                whole += 1
                rest = rest[hop:]
        if self.options.events:
            while len(rest) > size // 2:
                yield np.pad(rest[:size], (0, max(size - len(rest), 0)))
                rest = rest[hop:]
        elif len(rest) >= size // 2 or (not whole and len(rest)):
            yield rest

    def _probabilities(self, windows: Sequence[Floats]) -> Floats:
        """Of the labels that are asked for; of a choice among labels that exclude each other, they add up to one again."""
        if not windows:
            return np.zeros((0, len(self.labels)), np.float32)
        found = self._tagger(windows)
        if self._kept is None:
            return found
        some = found[:, self._kept]
        if self._tagger.traits.independent:
            return some
        return np.asarray(some / np.maximum(some.sum(axis=1, keepdims=True), 1e-9), np.float32)

    def _record(self, heard: Heard) -> Labels:
        options, stream = self.options, heard.clip.stream
        duration = heard.count / stream.sample_rate
        silent = heard.peak < UNHEARD
        if silent and SILENCE not in map(str.casefold, self.labels):
            heard.course = self._course()
        common: dict[str, Any] = {
            "path": heard.clip.source.path, "duration": duration, "sample_rate": stream.source_rate, "task": "classify",
            "model": self._model, "revision": self._revision, "options": self._recorded,
            "status": "empty" if not duration else "silent" if silent else "ok", "warnings": tuple(stream.warnings),
            "labels": best(heard.course, self.labels, options.top, self._least),
            "tables": self._tables(heard),
        }  # fmt: skip
        if heard.levels is None:
            return Labels(**common)
        curves = ((self.labels[number], curve) for number, curve in heard.course.curves(self._threshold))
        found = events(curves, self._hop / stream.sample_rate, duration, options, self._threshold)
        reach = self._size / stream.sample_rate / 2
        edged = with_edges(found, heard.levels.power(), reach, options)
        return Events(**common, segments=later(edged, self.reading.start))

    @property
    def _threshold(self) -> float:
        """The probability above which an event begins."""
        return self._tagger.traits.threshold if self.options.threshold is None else self.options.threshold

    @property
    def _least(self) -> float:
        """The probability below which a label of a file is left out."""
        return 0.0 if self.options.threshold is None or self.options.events else self.options.threshold

    def _tables(self, heard: Heard) -> dict[str, Table]:
        """What the picture shows: the spectrogram and the probabilities."""
        if heard.spectra is None:
            return {}
        heard.spectra.finish()
        probabilities = heard.course.table()
        rate, start = self._tagger.sample_rate, self.reading.start
        first = start if self.options.events else start + self._size / 2 / rate
        shown = Table(
            self.labels, len(probabilities), self._hop / rate, lambda: iter([probabilities]), probabilities.dtype, first
        )
        return {**feature_tables(heard.spectra, start), "probability": shown}


def named(text: str) -> tuple[str, ...]:
    """The labels of a file with one a line (# begins a comment), or of "a,b,c". Raises UsageError when there are none."""
    try:
        rows = text.split(",") if not os.path.isfile(text) else [r for r in lists.read(text) if not lists.is_comment(r)]
    except InputError as error:
        raise UsageError(f"--labels {text}: {error}") from error
    found = tuple(dict.fromkeys(row.strip() for row in rows if row.strip()))
    if not found:
        raise UsageError(f"--labels {text}: no labels")
    return found


def chosen(own: Sequence[str], asked: str | None) -> tuple[list[int] | None, tuple[str, ...]]:
    """The numbers of the labels that are asked for (None: all), and the labels. Raises UsageError for one the model has not."""
    wanted = tuple(own) if asked is None else named(asked)
    if wanted == tuple(own):
        return None, wanted
    numbers = {label.casefold(): n for n, label in reversed(list(enumerate(own)))}
    for label in wanted:
        if label.casefold() not in numbers:
            meant = hint(label, own, cutoff=0.4, most=12)
            raise UsageError(f"--labels: this model has no label {label!r}: {meant}; clap takes any")
    kept = [numbers[label.casefold()] for label in wanted]
    return kept, tuple(own[n] for n in kept)


def best(course: Course, labels: Sequence[str], top: int, least: float) -> tuple[Label, ...]:
    """The `top` likeliest labels over all windows, by their mean, those below `least` left out."""
    if not course.count:
        return ()
    mean = course.mean()
    order = np.argsort(-mean, kind="stable")[:top]
    return tuple(Label(labels[n], round(float(mean[n]), 4)) for n in order if mean[n] >= least)
