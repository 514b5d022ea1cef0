"""Live transcription at real speed with Whisper's published weights: delays, words against those of the file, processor time."""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from audiocli.errors import AudiocliError
from audiocli.models.locate import locate
from bench._common import Score
from bench.transcribe import normalised
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

RATE = 16_000
MODELS = ("whisper-base", "whisper-tiny.en")
UTTERANCES, SPEAKERS = 5, 3  # of mini-librispeech, and of the 251
PIECE = 3_200  # bytes: 100 ms
STARTED = 4.0  # s
LEAD = 1.0  # s of silence before the speech
SOON, NEAR = 1.2, 0.03  # s; share of the words


@dataclass(frozen=True)
class Live:
    """One recording spoken into the program: seconds from a word to its text, and how many words are other than the file's."""

    first: float
    delays: list[float]
    wrong: int
    words: int
    processor: float  # s
    duration: float  # s


def recordings() -> list[Floats]:
    """Speech [n] at RATE: utterances of several people, and a telephone conversation where pyannote.audio is installed."""
    with (DATA / "mini-librispeech" / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = [DATA / "mini-librispeech" / row["path"] for row in rows[:: len(rows) // UTTERANCES][:UTTERANCES]]
    others = sorted((DATA / "librispeech-251").rglob("*.opus"))
    found += others[:: len(others) // SPEAKERS][:SPEAKERS]
    package = find_spec("pyannote")
    for folder in package.submodule_search_locations or () if package else ():
        found += Path(folder).glob("audio/sample/sample.wav")
    return [np.pad(audio.read(path, sample_rate=RATE, mono=True).samples[0], (round(LEAD * RATE), 0)) for path in found]


def of_file(samples: Floats, model: str) -> list[dict[str, Any]]:
    """The words of the recording as a file, with their times."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "x.wav")
        soundfile.write(path, samples, RATE, "PCM_16")
        command = [sys.executable, "-m", "audiocli", "transcribe", "-q", str(path), "-m", model, "--timestamps", "word"]
        done = subprocess.run([*command, "-f", "jsonl"], capture_output=True, check=True)
    return [word for segment in json.loads(done.stdout)["segments"] for word in segment["words"]]


def spoken_into(samples: Floats, model: str) -> tuple[list[tuple[float, dict[str, Any]]], float]:
    """Events with the second of the recording at which each came, and processor time in seconds."""
    command = [sys.executable, "-m", "audiocli", "transcribe", "-q", "--stream", "-", "-m", model, "-f", "jsonl"]
    raw = (samples * 32_767).astype("<i2").tobytes()
    process = subprocess.Popen(
        [*command, "--timestamps", "word"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    assert process.stdin
    assert process.stdout
    stdin = process.stdin
    stdin.write(raw[:PIECE])
    time.sleep(STARTED)  # a person at a microphone has started the program before
    begin = time.perf_counter()

    def feed() -> None:
        for n, first in enumerate(range(PIECE, len(raw), PIECE)):
            time.sleep(max(begin + (n + 2) * PIECE / 2 / RATE - time.perf_counter(), 0.0))
            stdin.write(raw[first : first + PIECE])
        stdin.close()

    with ThreadPoolExecutor(1) as pool:
        fed = pool.submit(feed)
        events = [(time.perf_counter() - begin, json.loads(line)) for line in process.stdout]
        fed.result()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return events, usage.ru_utime + usage.ru_stime


def live(samples: Floats, model: str) -> Live:
    """One recording at real speed, against the same as a file."""
    words = of_file(samples, model)
    events, processor = spoken_into(samples, model)
    first = next(at for at, event in events if event["event"] != "end")
    finals = [(at, event) for at, event in events if event["event"] == "final"]
    texts = (" ".join(word["text"] for word in words), " ".join(event["text"] for _, event in finals))
    want, got = map(normalised, texts)
    measured = jiwer.process_words(want, got)
    wrong = measured.substitutions + measured.deletions + measured.insertions
    delays = [at - word["end"] for at, event in finals for word in event["words"]]
    return Live(first - words[0]["start"], delays, wrong, len(want.split()), processor, samples.size / RATE)


def model_rows(model: str, spoken: Sequence[Floats]) -> Iterator[Score]:
    """The rows of one model."""
    told = [live(samples, model) for samples in spoken]
    firsts, delays = [each.first for each in told], [delay for each in told for delay in each.delays]
    soon = statistics.median(firsts)
    what = f"{model}, {len(told)} recordings"
    note = f"final words {statistics.median(delays):.1f} s after they end (median)"
    title = f"{what}: first text after the first word begins, median (slowest)"
    yield Score(title, f"{soon:.2f} s ({max(firsts):.2f} s)", "-", "-", f"<= {SOON:g} s", soon <= SOON, note)
    share = sum(each.wrong for each in told) / sum(each.words for each in told)
    yield Score(f"{what}: words other than the file's", f"{share:.1%}", "-", "-", f"<= {NEAR:.0%}", share <= NEAR)
    busy = sum(each.processor for each in told) / sum(each.duration for each in told)
    title = f"{what}: processor time, start and all, a second of sound"
    yield Score(title, f"{busy:.2f} s", "-", "-", "< 2 s: two cores", busy < 2.0)


def rows() -> list[Score]:
    spoken = recordings()
    return [row for model in MODELS if is_here(model) for row in model_rows(model, spoken)]


def is_here(model: str) -> bool:
    """Whether the weights are on this machine."""
    try:
        return locate(model, "transcribe", offline=True).path is not None
    except AudiocliError:
        return False


if __name__ == "__main__":
    for row in rows():
        print(row)
