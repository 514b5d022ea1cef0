"""Sounds by name: accuracy and events on clips that the net has never heard, and the speed of a folder, against the usual ways."""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from audiocli.errors import ModelError
from audiocli.inputs.sources import find
from audiocli.models.load import load
from audiocli.options import ClassifyOptions, InputOptions, ModelOptions
from audiocli.verbs.classify.tagger import Tagger
from audiocli.verbs.classify.work import Work
from bench._common import Row, Score, seconds
from tests.kernels.rhythm_signals import DATA

# Trained by `audiocli train classifier` on folds 1 to 3; the built-in model has heard fold 4, too.
FOLDS_123 = Path(__file__).parent / "models" / "esc10-folds-123"
ESC10 = DATA / "esc10"
MODELS = DATA.parent / "models"
CLIPS = 1_000
SCENES, COLLAR = 40, 0.2  # s
PATCH = 15_600  # samples that YAMNet hears at once
# YAMNet's classes that stand for ours.
YAMNET = {
    "dog_bark": ("Dog", "Bark", "Yip", "Bow-wow", "Howl"), "rain": ("Rain", "Raindrop", "Rain on surface"),
    "sea_waves": ("Ocean", "Waves, surf"), "baby_cry": ("Baby cry, infant cry", "Crying, sobbing"),
    "clock_tick": ("Tick", "Tick-tock", "Clock"), "person_sneeze": ("Sneeze",), "helicopter": ("Helicopter", "Aircraft"),
    "chainsaw": ("Chainsaw", "Power tool", "Light engine (high frequency)"),
    "rooster": ("Crowing, cock-a-doodle-doo", "Chicken, rooster"),
    "fire_crackling": ("Fire", "Crackle"),
}  # fmt: skip

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """A clip of esc10."""

    path: Path
    label: str
    fold: int


def sounds() -> list[Sound]:
    """All of esc10."""
    with (ESC10 / "clips.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [Sound(ESC10 / row["path"], row["label"], int(row["fold"])) for row in rows]


class Mapped:
    """YAMNet, but that it knows our ten labels only: each is as likely as the likeliest of its classes."""

    labels = tuple(YAMNET)

    def __init__(self, tagger: Tagger) -> None:
        self.sample_rate, self.window, self.traits = tagger.sample_rate, tagger.window, tagger.traits
        self._tagger = tagger
        self._numbers = [
            [tagger.labels.index(name) for name in some if name in tagger.labels] for some in YAMNET.values()
        ]

    def __call__(self, windows: Sequence[Floats]) -> Floats:
        found = self._tagger(windows)
        return np.stack([found[:, some].max(axis=1) for some in self._numbers], axis=1)


def worker(model: Path | str, mapped: Callable[[Tagger], Tagger] = lambda tagger: tagger, **options: Any) -> Work:
    """Our runner."""
    tagger = load(str(model), "classify", Tagger, ModelOptions(device="cpu", offline=True), ClassifyOptions())
    return Work(mapped(tagger), ClassifyOptions(**options), InputOptions(), {}, str(model), None)


def published() -> bool:
    """Whether the package with YAMNet is on this machine."""
    try:
        worker("yamnet")
    except ModelError as error:
        print(f"yamnet is left out: {error}")
        return False
    return True


def heard(work: Work, paths: Sequence[Path]) -> list[Any]:
    """Records of files."""
    return work([work.read(source) for source in find([str(path) for path in paths])])  # type: ignore[arg-type]


def ours(test: Sequence[Sound]) -> list[str]:
    """The likeliest label of each."""
    return [record.labels[0].label for record in heard(worker(FOLDS_123, top=1), [sound.path for sound in test])]


def forest(train: Sequence[Sound], test: Sequence[Sound]) -> list[str]:
    """A random forest over means and deviations of MFCCs, the baseline of the ESC paper (Piczak 2015)."""
    from sklearn.ensemble import RandomForestClassifier

    def features(sound: Sound) -> Floats:
        samples, rate = librosa.load(sound.path, sr=None)
        mfcc = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=13)
        zcr = librosa.feature.zero_crossing_rate(samples)
        both = np.concatenate([mfcc, zcr])
        return np.concatenate([both.mean(axis=1), both.std(axis=1)])

    fitted = RandomForestClassifier(500, random_state=0)
    fitted.fit([features(sound) for sound in train], [sound.label for sound in train])
    return list(fitted.predict([features(sound) for sound in test]))


def yamnet(test: Sequence[Sound]) -> list[str]:
    """YAMNet (521 classes, trained on AudioSet): the one of our ten labels whose classes score highest."""
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(str(MODELS / "yamnet.tflite"))
    with (MODELS / "yamnet_class_map.csv").open() as file:
        names = [row["display_name"] for row in csv.DictReader(file)]
    numbers = {label: [names.index(name) for name in some if name in names] for label, some in YAMNET.items()}
    (given,), found = net.get_input_details(), []
    net.resize_tensor_input(given["index"], [PATCH])
    net.allocate_tensors()
    for sound in test:
        samples, _ = librosa.load(sound.path, sr=16_000)
        scores = []
        for first in range(0, max(len(samples) - PATCH + 1, 1), PATCH // 2):
            net.set_tensor(
                given["index"], np.pad(samples[first : first + PATCH], (0, max(first + PATCH - len(samples), 0)))
            )
            net.invoke()
            scores.append(net.get_tensor(net.get_output_details()[0]["index"]).mean(axis=0))
        mean = np.mean(scores, axis=0)
        found.append(max(numbers, key=lambda label: float(mean[numbers[label]].max(initial=0.0))))
    return found


def accuracy_rows() -> list[Score]:
    """Fold 4, with folds 1 to 3 to learn from."""
    everything = sounds()
    train, test = [s for s in everything if s.fold != 4], [s for s in everything if s.fold == 4]

    def right(found: Sequence[str]) -> float:
        return float(np.mean([label == sound.label for label, sound in zip(found, test, strict=True)]))

    mine, trees, net = right(ours(test)), right(forest(train, test)), right(yamnet(test))
    what, note = (
        f"ESC-10, accuracy on the {len(test)} clips of fold 4",
        "trained on folds 1-3; human 95.7 % (Piczak 2015)",
    )
    return [
        Score(what, f"{mine:.1%}", "random forest on MFCCs", f"{trees:.1%}", ">= 88 %", mine >= 0.88, note),
        Score(
            what,
            f"{mine:.1%}",
            "YAMNet, its classes mapped",
            f"{net:.1%}",
            "-",
            True,
            "the peer knows two million clips",
        ),
    ]


def active(samples: Floats, rate: int) -> tuple[int, int]:
    """First and last sample within 30 dB of the loudest 20 ms."""
    size = rate // 50
    power = (samples[: len(samples) // size * size].reshape(-1, size) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-3)
    return int(loud[0]) * size, int(loud[-1] + 1) * size


def scene(some: Sequence[Sound], seed: int, rate: int = 32_000) -> tuple[Floats, list[tuple[float, float, str]]]:
    """Sounds one after the other with pauses of 1 to 3 s, over pink noise 25 dB below the loudest; and the true events."""
    random = np.random.default_rng(seed)
    parts, truth, position = [], [], 0
    for sound in some:
        pause = int(random.uniform(1.0, 3.0) * rate)
        samples = librosa.load(sound.path, sr=rate)[0]
        first, last = active(samples, rate)
        piece = (
            samples[first:last]
            * (0.1 / max(float(samples[first:last].std()), 1e-4))
            * 10 ** (random.uniform(-6, 6) / 20)
        )
        parts += [np.zeros(pause, np.float32), piece]
        truth.append(((position + pause) / rate, (position + pause + len(piece)) / rate, sound.label))
        position += pause + len(piece)
    mixed = np.concatenate([*parts, np.zeros(rate, np.float32)])
    spectrum = np.fft.rfft(random.standard_normal(len(mixed)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 10.0), len(mixed))
    return (mixed + pink / pink.std() * 0.1 * 10 ** (-25 / 20)).astype(np.float32), truth


def matched(found: Sequence[Any], truth: Sequence[tuple[float, float, str]]) -> int:
    """The number of events with the right label, an onset within the collar, and an offset within it or half of the length."""
    fits = np.zeros((len(found), len(truth)))
    for n, event in enumerate(found):
        for m, (start, end, label) in enumerate(truth):
            late = max(COLLAR, 0.5 * (end - start))
            fits[n, m] = event.text == label and abs(event.start - start) <= COLLAR and abs(event.end - end) <= late
    return int(fits[linear_sum_assignment(-fits)].sum()) if fits.size else 0


def published_rows() -> list[Score]:
    """The published net on the same clips and scenes."""
    if not published():
        return []
    test = [sound for sound in sounds() if sound.fold == 4]
    records = heard(worker("yamnet", Mapped, top=1), [sound.path for sound in test])
    pairs = zip(records, test, strict=True)
    mine = float(np.mean([record.labels[0].label == sound.label for record, sound in pairs]))
    theirs = "-"
    with suppress(ModuleNotFoundError):  # the peer needs ai-edge-litert
        theirs = f"{np.mean([label == sound.label for label, sound in zip(yamnet(test), test, strict=True)]):.1%}"
    what = f"yamnet: ESC-10, accuracy on the {len(test)} clips of fold 4"
    note = "classes mapped to the ten labels"
    right = Score(what, f"{mine:.1%}", "yamnet.tflite of Google", theirs, ">= 90 %", mine >= 0.9, note)
    return [right, events_row(worker("yamnet", Mapped, events=True), "yamnet: ", 0.67)]


def events_row(work: Work, name: str = "", wanted: float = 0.6) -> Score:
    """Event-based F1 on scenes of fold 4."""
    test, random = [sound for sound in sounds() if sound.fold == 4], np.random.default_rng(0)
    hits = said = there = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SCENES):
            chosen = [test[n] for n in random.choice(len(test), 5, replace=False)]
            samples, truth = scene(chosen, number)
            path = Path(folder, f"{number}.wav")
            soundfile.write(path, samples, 32_000)
            (record,) = heard(work, [path])
            hits, said, there = hits + matched(record.segments, truth), said + len(record.segments), there + len(truth)
    f1 = 2 * hits / max(said + there, 1)
    note = f"{there} events in {SCENES} scenes, {said} found, {hits} right; collar {COLLAR} s, at the end half the length if more"
    what = f"{name}events in scenes of fold-4 clips over noise, F1"
    return Score(what, f"{f1:.2f}", "-", "-", f">= {wanted:g}", f1 >= wanted, note)


def folder_row() -> Row:
    """A thousand clips by the command, and by a loop that reads one and judges one."""
    with tempfile.TemporaryDirectory() as name:
        paths = [sound.path for sound in sounds()]
        for n in range(CLIPS):
            Path(name, f"{n:04}.ogg").symlink_to(paths[n % len(paths)].resolve())
        command = [sys.executable, "-m", "audiocli", "classify", "-q", name, "-f", "csv"]
        took = seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
        tagger = load("everyday-sounds", "classify", Tagger, ModelOptions(device="cpu"), ClassifyOptions())

        def loop() -> None:
            for path in sorted(Path(name).iterdir()):
                samples, _ = librosa.load(path, sr=tagger.sample_rate)
                tagger([samples])

        peer = seconds(loop)
    note = f"{CLIPS * 5 / took:.0f} x real time, whole process; the peer without its start; {torch.get_num_threads()} threads each"
    return Row(
        f"folder of {CLIPS} clips of 5 s",
        took,
        "librosa.load and the same net, one by one",
        peer,
        ">= 3x",
        peer >= 3 * took,
        note,
    )


def rows() -> list[Row | Score]:
    return [*accuracy_rows(), events_row(worker(FOLDS_123, events=True)), *published_rows(), folder_row()]


if __name__ == "__main__":
    for row in rows():
        print(row)
