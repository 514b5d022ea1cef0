"""The built-in recogniser: its word errors on read speech, and the time to its first word, against plain pocketsphinx."""

import csv
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath
from typing import Any

import jiwer
import numpy as np
import soundfile

from audiocli import audio
from audiocli.inputs.sources import Source, Streamed
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions, TranscribeOptions
from audiocli.verbs.transcribe.recogniser import Recogniser
from bench._common import Row, Score
from tests.kernels.rhythm_signals import DATA

UTTERANCES = 60
WORST = 0.32  # of the words; plain pocketsphinx: 0.286 to 0.299 on another draw of LibriSpeech
REPEATS = 5
LIVE = 5  # utterances that are spoken into it
PIECE = 3_200  # bytes: 100 ms
STARTED = 3.0  # s
MOST = 700  # MiB
# The wheel has no command that decodes a file; this is the shortest program that does.
PLAIN = """
import sys, wave
from pocketsphinx import Decoder, set_loglevel
set_loglevel("FATAL")
decoder = Decoder()
decoder.start_utt()
with wave.open(sys.argv[1]) as file:
    decoder.process_raw(file.readframes(file.getnframes()), full_utt=True)
decoder.end_utt()
print(decoder.hyp().hypstr)
"""


def utterances() -> list[tuple[Path, str]]:
    """UTTERANCES of mini-librispeech, the same in every run: path and text."""
    folder = DATA / "mini-librispeech"
    with (folder / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [(folder / row["path"], row["text"]) for row in random.Random(3).sample(rows, UTTERANCES)]


def normalised(text: str) -> str:
    """Lower case, no punctuation, one blank between words."""
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())


def timed(hear: Callable[[Path], str], found: list[tuple[Path, str]]) -> tuple[float, float]:
    """Seconds for all utterances, and the word error rate."""
    start = time.perf_counter()
    heard = [hear(path) for path, _ in found]
    took = time.perf_counter() - start
    return took, float(jiwer.wer([normalised(text) for _, text in found], [normalised(text) for text in heard]))


def recogniser() -> Callable[[Path], Any]:
    """The built-in model: a file's record."""
    runner = load("pocketsphinx", "transcribe", Recogniser, ModelOptions(), TranscribeOptions())
    return lambda path: runner([Streamed(Source(str(path), PurePath(path.name)), InputOptions())])[0]


def ours() -> Callable[[Path], str]:
    """The built-in model: a file's text."""
    hear = recogniser()
    return lambda path: str(hear(path).text)


def plain() -> Callable[[Path], str]:
    from pocketsphinx import Decoder, set_loglevel

    set_loglevel("FATAL")
    decoder = Decoder()

    def hear(path: Path) -> str:
        samples = audio.read(path, sample_rate=16_000, mono=True).samples[0]
        decoder.start_utt()
        decoder.process_raw((samples * 32_767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return found.hypstr if found else ""

    return hear


def errors_row() -> Row:
    found = utterances()
    length = sum(audio.read(path).duration for path, _ in found)
    (took, wer), (peer_took, peer_wer) = timed(ours(), found), timed(plain(), found)
    note = f"WER {wer:.1%} (plain: {peer_wer:.1%}), {length:.0f} s of speech at {took / length:.3f} x real time"
    what = f"{UTTERANCES} utterances of mini-librispeech, VAD and all"
    return Row(what, took, "plain pocketsphinx", peer_took, f"WER < {WORST:.0%}", wer < WORST, note)


def first_word(*command: str) -> float:
    """Seconds from the start of a process to its first byte."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(1)
        took = time.perf_counter() - start
        process.stdout.read()
    return took


def first_word_row() -> Row:
    path, _ = utterances()[0]
    with tempfile.TemporaryDirectory() as name:
        wav = str(Path(name, "x.wav"))
        samples = audio.read(path, sample_rate=16_000, mono=True).samples[0]
        soundfile.write(wav, samples, 16_000, "PCM_16")
        commands = (sys.executable, "-m", "audiocli", "transcribe", "-q", wav), (sys.executable, "-c", PLAIN, wav)
        times = [[first_word(*command) for command in commands] for _ in range(REPEATS + 1)][1:]
    took, peer = (statistics.median(column) for column in zip(*times, strict=True))
    what = f"first word of a file of {samples.size / 16_000:.1f} s, whole process"
    return Row(what, took, "plain pocketsphinx in python", peer, "<= 1.3x its time", took <= 1.3 * peer)


def first_partial(path: Path) -> tuple[float, bool]:
    """Seconds from the first word in live speech to the first words of text, and whether the final text is the file's."""
    command = [sys.executable, "-m", "audiocli", "transcribe", "-q", "--stream", "-", "--format", "jsonl"]
    samples = audio.read(path, sample_rate=16_000, mono=True).samples[0]
    pcm = (np.pad(samples, (16_000, 0)) * 32_767).astype(np.int16)
    with tempfile.TemporaryDirectory() as name:
        soundfile.write(Path(name, "x.wav"), pcm, 16_000)
        record = recogniser()(Path(name, "x.wav"))
    raw = pcm.tobytes()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        stdin = process.stdin
        stdin.write(raw[:PIECE])
        stdin.flush()
        time.sleep(STARTED)  # a person at a microphone has started the program before

        def feed() -> None:
            for n, first in enumerate(range(PIECE, len(raw), PIECE)):
                time.sleep(max(begin + (n + 1) * PIECE / 32_000 - time.perf_counter(), 0.0))
                stdin.write(raw[first : first + PIECE])
                stdin.flush()
            stdin.close()

        begin = time.perf_counter()
        with ThreadPoolExecutor(1) as pool:
            fed = pool.submit(feed)
            process.stdout.readline()
            took = time.perf_counter() - begin - (record.segments[0].start - PIECE / 32_000)
            finals = [json.loads(line) for line in process.stdout]
            fed.result()
    said = " ".join(event["text"] for event in finals if event["event"] == "final")
    return took, said == record.text


def live_row() -> Score:
    times, same = zip(*[first_partial(path) for path, _ in utterances()[:LIVE]], strict=True)
    what = f"live at real speed: first partial text after the first word, {LIVE} utterances, median (slowest)"
    found = f"{statistics.median(times):.2f} s ({max(times):.2f} s)"
    note = f"final text that of the file in {sum(same)} of {LIVE}"
    return Score(what, found, "-", "-", "<= 1.5 s", max(times) <= 1.5 and all(same), note)


def long_row(hours: float) -> Score:
    """The peak of memory over a file of so many hours: utterances behind each other."""
    with tempfile.TemporaryDirectory() as name:
        wav, text = Path(name, "long.wav"), Path(name, "long.txt")
        with soundfile.SoundFile(wav, "w", 16_000, 1, "PCM_16") as file:
            for path in itertools.cycle(sorted((DATA / "mini-librispeech").glob("*/*.opus"))):
                file.write(audio.read(path, sample_rate=16_000, mono=True).samples[0])
                if file.tell() >= hours * 3_600 * 16_000:
                    break
        start = time.perf_counter()
        command = [sys.executable, "-m", "audiocli", "transcribe", "-q", str(wav), "-o", str(text)]
        process = os.posix_spawn(sys.executable, command, os.environ)
        _, status, usage = os.wait4(process, 0)
        took, words = time.perf_counter() - start, len(text.read_text().split())
    peak = usage.ru_maxrss / 1024  # KiB on Linux
    good = status == 0 and words > 1_000 * hours and peak < MOST
    note = f"{words} words, {took / hours / 3_600:.3f} x real time"
    return Score(f"peak memory, a file of {hours:g} hours", f"{peak:.0f} MiB", "-", "-", f"< {MOST} MiB", good, note)


def rows() -> list[Row | Score]:
    hours = float(os.environ.get("AUDIOCLI_BENCH_HOURS", "0"))  # 2 of them take a quarter of an hour
    return [first_word_row(), live_row(), errors_row(), *([long_row(hours)] if hours else [])]


if __name__ == "__main__":
    for row in rows():
        print(row)
