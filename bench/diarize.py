"""Diarization: made-up dialogues of speakers that the encoder has never heard, far-field meetings (AMI), and an hour of speech.

DER is taken by pyannote.metrics without a collar, overlap included. Thresholds were chosen on speakers and pieces other than these,
but for what cards and comments say.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import soundfile

from audiocli import audio
from audiocli.errors import ModelError
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import DiarizeOptions, InputOptions, ModelOptions
from audiocli.records import Turn
from audiocli.verbs.diarize.clustering import bounds
from audiocli.verbs.diarize.work import Diarizer
from bench._common import Score
from bench.conversations import (
    OVERLAP,
    RATE,
    Floats,
    conversations,
    dialogues,
    errors,
    held_out,
    meetings,
    rttm,
    speakers,
)  # fmt: skip

DIALOGUES = 20
HOUR = 3_600.0  # s
BUILT_IN, PUBLISHED, PLAIN = "sinc-segmenter", "pyannote-segmentation", "siamese-clusters"
# DER of AMI, of pyannote's sample, of conversations with overlap; confusion of dialogues.
WANTED = {BUILT_IN: (0.32, 0.18, 0.12, 0.01), PUBLISHED: (0.22, 0.08, 0.12, 0.01)}
# In a process between: a child's peak begins with that of the process which started it.
MEASURED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
)


class Ours:
    """A diarizer on samples in memory. Raises ModelError where it is not on this machine."""

    def __init__(self, model: str = BUILT_IN) -> None:
        self._diarizer: Any = load(model, "diarize", Diarizer, ModelOptions(offline=True), DiarizeOptions())

    def __call__(self, samples: Floats, speakers: int | None = None) -> list[Turn]:
        diarizer = replace(self._diarizer, bounds=bounds(DiarizeOptions(speakers)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "x.wav")
            soundfile.write(path, samples, RATE, "FLOAT")
            source = Source(str(path), PurePath(path.name))
            return list(diarizer([Streamed(source, InputOptions())])[0].turns)


def heard(turns: Iterable[Turn]) -> int:
    """The number of speakers."""
    return len({turn.speaker for turn in turns})


@dataclass(frozen=True)
class Total:
    """What came of several conversations: seconds of each kind of error and of speech, and in how many the number was right."""

    seconds: Counter[str]
    right: int

    def share(self, *kinds: str) -> float:
        """Errors of some kinds as a share of the speech."""
        return sum(self.seconds[kind] for kind in kinds) / self.seconds["total"]

    @property
    def der(self) -> float:
        """The diarization error rate."""
        return self.share("missed detection", "false alarm", "confusion")

    def __str__(self) -> str:
        miss, alarm, confusion = (self.share(kind) for kind in ("missed detection", "false alarm", "confusion"))
        return f"miss {miss:.1%}, false alarm {alarm:.1%}, confusion {confusion:.1%}"


def total(diarizer: Ours, pieces: Iterable[tuple[Floats, list[Turn]]]) -> Total:
    """What comes of conversations."""
    seconds, right = Counter[str](), 0
    for samples, turns in pieces:
        end, found = len(samples) / RATE, diarizer(samples)
        seconds.update(errors(turns, found, end))
        right += heard(found) == heard(turns)
    return Total(seconds, right)


def measured(diarizer: Ours) -> list[Total]:
    """What comes of AMI, of pyannote's sample, of conversations with overlap, and of dialogues without."""
    pieces = meetings()
    sample = [pieces.pop("sample")]
    both = conversations(held_out(), DIALOGUES, seed=2, folds="4")
    return [total(diarizer, some) for some in (pieces.values(), sample, both, dialogues(held_out(), DIALOGUES, seed=2))]


def rows_of(name: str, found: Sequence[Total], plain: Sequence[Total]) -> Iterator[Score]:
    """A diarizer around a segmentation net beside the plain one, which hears no overlap, on the same pieces."""
    what = (
        "AMI, 10 pieces of 30 s, DER of all", "AMI, sample.flac, DER",
        f"{DIALOGUES} conversations with {OVERLAP:.0%} overlap in rooms and noise, DER",
    )  # fmt: skip
    for kind, ours, theirs, most in zip(what, found, plain, WANTED[name], strict=False):
        yield Score(
            f"{name}: {kind}", f"{ours.der:.1%}", PLAIN, f"{theirs.der:.1%}", f"<= {most:.0%}", ours.der <= most,
            f"{ours}; {PLAIN}: {theirs}",
        )  # fmt: skip
    ours, theirs = found[-1], plain[-1]
    confusions = [f"{one.share('confusion'):.1%}, {one.right} of {DIALOGUES}" for one in (ours, theirs)]
    yield Score(
        f"{name}: {DIALOGUES} dialogues: confusion, number of speakers right", confusions[0], PLAIN, confusions[1],
        "<= 1 %, >= 90 %", ours.share("confusion") <= WANTED[name][-1] and ours.right >= 0.9 * DIALOGUES,
        f"{ours}; {PLAIN}: {theirs}; the marks of these reach .1 s beyond the speech on either side",
    )  # fmt: skip


def hour_row(model: str = BUILT_IN, longest: float = 60.0, seconds: float = HOUR) -> Score:
    """The whole command on an hour of read speech of four speakers."""
    files, parts = speakers(), list[Floats]()
    queue = [path for paths in zip(*(files[one] for one in held_out()[:4]), strict=False) for path in paths]
    while sum(map(len, parts)) < seconds * RATE:
        parts.append(audio.read(queue[len(parts) % len(queue)], sample_rate=RATE, mono=True).samples[0])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hour.flac")
        soundfile.write(path, np.concatenate(parts)[: int(seconds * RATE)], RATE)
        start = time.perf_counter()
        command = (
            sys.executable,
            "-c",
            MEASURED,
            sys.executable,
            "-m",
            "audiocli",
            "diarize",
            "-q",
            "-m",
            model,
            str(path),
        )
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took = time.perf_counter() - start
    peak = int(done.stderr.split()[-1]) / 2**20
    what = f"{model}: {seconds / 60:.0f} minutes of speech, whole process: time, memory"
    note = f"{heard(rttm(done.stdout)['hour'])} speakers, there are 4"
    return Score(
        what,
        f"{took:.0f} s, {peak:.2f} GiB",
        "",
        "",
        f"<= {longest:.0f} s, < 1 GB",
        took <= longest and peak < 0.93,
        note,
    )


def rows() -> Iterator[Score]:
    plain = measured(Ours(PLAIN))
    yield from rows_of(BUILT_IN, measured(Ours(BUILT_IN)), plain)
    yield hour_row(PLAIN)
    yield hour_row(BUILT_IN, 120.0)
    try:
        published = Ours(PUBLISHED)
    except ModelError as error:
        print(f"no rows of {PUBLISHED}: {error}", file=sys.stderr)
        return
    yield from rows_of(PUBLISHED, measured(published), plain)
    yield hour_row(PUBLISHED, 120.0)


if __name__ == "__main__":
    for row in rows():
        print(row)
