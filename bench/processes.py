"""Whole processes: the help, one file, a folder, and three hours in constant memory."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from bench._common import Row, seconds, side_by_side
from tests.kernels.rhythm_signals import DATA

AUDIOCLI = str(Path(sys.executable).with_name("audiocli"))
FILES, CLIP = 1_000, 5.0  # s
JOBS = 2
HOURS = 3.0
MEMORY = 500  # MB
LIBROSA = (
    "import librosa, numpy, sys; y, sr = librosa.load(sys.argv[1], sr=16000);"
    "m = librosa.feature.melspectrogram(y=y, sr=sr, n_fft=512, win_length=400, hop_length=160, n_mels=80);"
    "numpy.save(sys.argv[2], librosa.power_to_db(m, top_db=None))"
)


def call(*arguments: str) -> Callable[[], object]:
    """A process that must succeed."""
    return lambda: subprocess.run(arguments, check=True, capture_output=True)


def speech(sample_rate: int, channels: int) -> Iterator[NDArray[np.float32]]:
    """Real speech without end, [n, channels]; noise where ../shared is absent."""
    paths = sorted((DATA / "mini-librispeech").glob("*/*.opus"))
    while True:
        for path in paths:
            one = audio.read(path, sample_rate=sample_rate, mono=True).samples[0]
            yield np.repeat(one[:, None], channels, axis=1)
        if not paths:
            yield np.random.default_rng(0).standard_normal((sample_rate * 10, channels)).astype(
                np.float32
            ) * np.float32(0.1)


def make_folder(folder: Path, sample_rate: int, channels: int) -> list[Path]:
    """FILES clips of CLIP seconds as FLAC."""
    folder.mkdir()
    length, kept, paths = round(CLIP * sample_rate), np.zeros((0, channels), np.float32), list[Path]()
    for part in speech(sample_rate, channels):
        kept = np.concatenate([kept, part])
        while len(kept) >= length and len(paths) < FILES:
            paths.append(folder / f"{len(paths):04d}.flac")
            soundfile.write(paths[-1], kept[:length], sample_rate, subtype="PCM_16")
            kept = kept[length:]
        if len(paths) == FILES:
            return paths
    raise AssertionError("speech never ends")


def decode_all(paths: Sequence[Path], sample_rate: int | None) -> None:
    """Decoding alone on JOBS threads; with a sample_rate, to the input of the features: mono at that rate."""

    def decode(path: Path) -> int:
        return audio.read(path, sample_rate=sample_rate, mono=sample_rate is not None).sample_rate

    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(decode, paths))


def write_all(paths: Sequence[Path], folder: Path) -> None:
    """Writing alone on JOBS threads: as many bytes into as many files as the features of these clips."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    data = bytes(round(CLIP * 100 + 1) * 80 * 4)

    def put(path: Path) -> int:
        return folder.joinpath(path.name).write_bytes(data)

    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(put, paths))


def folder_rows(work: Path) -> Iterator[Row]:
    """Features of a folder against decoding it; the start of the process is subtracted, because decoding has none here."""
    for sample_rate, channels in ((16_000, 1), (44_100, 2)):
        paths = make_folder(work / f"flac{sample_rate}", sample_rate, channels)
        out = work / "out"

        def features(paths: list[Path] = paths, out: Path = out) -> None:
            shutil.rmtree(out, ignore_errors=True)
            call(AUDIOCLI, "features", str(paths[0].parent), "-o", f"{out}/", "-j", str(JOBS))()

        def one(paths: list[Path] = paths) -> None:
            call(AUDIOCLI, "features", str(paths[0]))()

        whole, start, bare, decoding, writing = side_by_side(
            features,
            one,
            partial(decode_all, paths, None),
            partial(decode_all, paths, 16_000),
            partial(write_all, paths, work / "written"),
            repeats=5,
        )
        what = f"folder of {FILES} FLAC of {CLIP:g} s, {sample_rate / 1000:g} kHz x {channels}, log-mel to npz, {JOBS} jobs"
        ours = whole - start
        note = (
            f"{FILES * CLIP / ours:,.0f} x real time; {whole:.2f} s with the start of {start:.2f} s; "
            f"writing as many bytes alone takes {writing:.2f} s"
        )
        yield Row(what, ours, "decoding alone", bare, ">= 0.8x", bare / ours >= 0.8, note)
        if sample_rate != 16_000:
            yield Row(what, ours, "decoding and resampling", decoding, ">= 0.8x", decoding / ours >= 0.8)


def long_row(work: Path) -> Row:
    """Time and peak memory of a file of hours."""
    path, n_samples = work / "long.flac", 0
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
        for part in speech(16_000, 1):
            file.write(part)
            n_samples += len(part)
            if n_samples >= HOURS * 3600 * 16_000:
                break
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    )
    command = [sys.executable, "-c", code, AUDIOCLI, "features", str(path), "-o", str(work / "long.npz")]
    start = time.perf_counter()
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    took = time.perf_counter() - start
    note = f"peak memory {peak} MB; the peer is real time"
    return Row(
        f"log-mel of {HOURS:g} hours", took, "real time", n_samples / 16_000, f"< {MEMORY} MB", peak < MEMORY, note
    )


def rows() -> list[Row]:
    result = []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        helped = side_by_side(call(AUDIOCLI, "--help"), call(sys.executable, "-c", "import typer"))
        result.append(Row("audiocli --help", helped[0], "import typer", helped[1], "<= 0.2 s", helped[0] <= 0.2))
        path = make_one(work)
        ours, peer = side_by_side(
            call(AUDIOCLI, "features", str(path), "-o", str(work / "x.npy"), "--force"),
            call(sys.executable, "-c", LIBROSA, str(path), str(work / "y.npy")),
        )
        what = "log-mel of a 30 s file, whole process"
        result.append(
            Row(what, ours, "python -c with librosa", peer, ">= 2x", peer / ours >= 2.0, "from the second run on")
        )
        result += folder_rows(work)
        result.append(long_row(work))
    return result


def make_one(work: Path) -> Path:
    """Thirty seconds."""
    path = work / "x.wav"
    parts: list[NDArray[np.float32]] = []
    for part in speech(16_000, 1):
        parts.append(part)
        if sum(map(len, parts)) >= 30 * 16_000:
            break
    soundfile.write(path, np.concatenate(parts)[: 30 * 16_000], 16_000)
    return path


if __name__ == "__main__":
    print(seconds(lambda: [print(row) for row in rows()]))
