"""Whisper with its published weights: words, languages, speed and memory beside faster-whisper; times, long form, silence.

What is heard where nothing is said is counted, too.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from audiocli.models.locate import locate
from bench._common import Row, Score
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

RATE = 16_000
EVERY = 25  # row of mini-librispeech: 60 utterances, 728 s
MODELS = ("whisper-base", "whisper-tiny.en")
REPEATS = 2
CLIP = 11.0  # s
HOUR = 3_600.0
QUIET = 600.0  # s
# A bare script of the library's, as its page shows it; greedy, in int8, on two threads.
BARE = """
import sys
from faster_whisper import BatchedInferencePipeline, WhisperModel
how, english, folder, *paths = sys.argv[1:]
model = WhisperModel(folder, "cpu", compute_type="int8", cpu_threads=2)
if how == "batched":
    model = BatchedInferencePipeline(model)
language = "en" if english == "yes" else None
for path in paths:
    parts, about = model.transcribe(path, beam_size=1, language=language)
    print(path, "".join(part.text for part in parts), sep="\\t", flush=True)
"""


def utterances() -> list[tuple[Path, str]]:
    """Every 25th utterance of mini-librispeech: path and text."""
    folder = DATA / "mini-librispeech"
    with (folder / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[::EVERY]
    return [(folder / row["path"], row["text"]) for row in rows]


def normaliser() -> Any:
    """Whisper's own for English, without its list of British spellings, which no package here carries."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer({})  # type: ignore[no-untyped-call]


def errors(said: Sequence[str], heard: Sequence[str]) -> float:
    """The share of words that are wrong."""
    plain = normaliser()
    return float(jiwer.wer([plain(text) for text in said], [plain(text) for text in heard]))


def process(command: Sequence[str]) -> tuple[float, float, str]:
    """Seconds and peak MiB of a process that must succeed, and what it printed."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        files = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1)]
        child = os.posix_spawn(command[0], list(command), os.environ, file_actions=files)
        _, status, usage = os.wait4(child, 0)
        took = time.perf_counter() - start
        assert status == 0, command
        output.seek(0)
        return took, usage.ru_maxrss / 1024, output.read().decode()


def ours(inputs: Sequence[Path], model: str, *more: str) -> tuple[float, float, list[dict[str, Any]]]:
    """Seconds, peak MiB and records of `audiocli transcribe`."""
    command = [sys.executable, "-m", "audiocli", "transcribe", "-q", *map(str, inputs), "-m", model, "-f", "jsonl"]
    took, peak, text = process([*command, *more])
    return took, peak, [json.loads(line) for line in text.splitlines()]


def bare(inputs: Sequence[Path], model: str, how: str = "sequential") -> tuple[float, float, list[str]]:
    """Seconds, peak MiB and texts of a bare script, in the order of the inputs."""
    folder = str(locate(model, "transcribe", offline=True).path)
    english = "yes" if model.endswith(".en") else "no"
    took, peak, text = process([sys.executable, "-c", BARE, how, english, folder, *map(str, inputs)])
    return took, peak, [line.split("\t", 1)[1] for line in text.splitlines()]


def folder_rows(model: str) -> Iterator[Row | Score]:
    """The folder of utterances, whole processes, in turn with the library's batched way."""
    found = utterances()
    paths, said = [path for path, _ in found], [text for _, text in found]
    length = sum(audio.read(path).duration for path in paths)
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(REPEATS):
        took, _, records = ours(paths, model)
        mine.append(took)
        took, _, batched = bare(paths, model, "batched")
        theirs.append(took)
    by_path = {record["path"]: record["text"] for record in records}
    wer = errors(said, [by_path[str(path)] for path in paths])
    sequential = errors(said, bare(paths, model)[2])
    took, peer = statistics.median(mine), statistics.median(theirs)
    others = f"the peer's {errors(said, batched):.1%}, one after the other {sequential:.1%}"
    note = f"{length / took:.1f} x real time; WER {wer:.1%}, {others}"
    what = f"{model}: {len(paths)} utterances, {length:.0f} s, whole process"
    good = peer / took >= 1.15 and wer <= sequential
    yield Row(what, took, "faster-whisper, batched, int8", peer, ">= 1.15x, WER no worse than sequential", good, note)
    if model == MODELS[0]:
        weak = ours(paths, "pocketsphinx")[2]
        by_path = {record["path"]: record["text"] for record in weak}
        other = errors(said, [by_path[str(path)] for path in paths])
        yield Score("words wrong by default", f"{wer:.1%}", "pocketsphinx", f"{other:.1%}", "<= 5.6 %", wer <= 0.056)


def language_row() -> Score:
    """The ten clips of ../shared/data/languages."""
    paths = sorted((DATA / "languages").glob("*.mp3"))
    records = ours(paths, MODELS[0])[2]
    right = [record for record in records if Path(record["path"]).name.startswith(str(record["language"]))]
    wrong = ", ".join(f"{Path(r['path']).stem}: {r['language']}" for r in records if r not in right)
    return Score(
        "language of ten clips", f"{len(right)} of {len(paths)}", "-", "-", "10 of 10", len(right) == 10, wrong
    )


def clip_row(model: str) -> Row:
    """One clip, whole process, beside a bare script."""
    with tempfile.TemporaryDirectory() as name:
        wav = Path(name, "clip.wav")
        sound = np.concatenate([samples(path) for path, _ in utterances()[:3]])
        soundfile.write(wav, sound[: round(CLIP * RATE)], RATE, "PCM_16")
        runs = [(ours([wav], model)[:2], bare([wav], model)[:2]) for _ in range(5)][1:]
    took, peer = (statistics.median(run[n][0] for run in runs) for n in (0, 1))
    more = statistics.median(run[0][1] - run[1][1] for run in runs)
    what = f"{model}: a clip of {CLIP:g} s, whole process"
    note = f"{more:+.0f} MiB beside its {runs[0][1][1]:.0f}"
    return Row(
        what, took, "a bare script", peer, "<= 1.2x its time, <= 60 MB more", took <= 1.2 * peer and more <= 57, note
    )


def samples(path: Path) -> Floats:
    """A file [n] at RATE."""
    return np.asarray(audio.read(path, sample_rate=RATE, mono=True).samples[0])


def interludes() -> list[Floats]:
    """What lies between the utterances of a long file: silence, noise, and clips of rain, sea, clock and dog."""
    random = np.random.default_rng(0)
    with (DATA / "esc10" / "clips.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    sounds = [samples(DATA / "esc10" / row["path"]) for row in rows[::40]]
    noise = 0.01 * random.standard_normal(5 * RATE).astype(np.float32)
    return [np.zeros(4 * RATE, np.float32), noise, *sounds]


def hour_row(model: str) -> Score:
    """An hour of utterances with something else between every tenth."""
    with (DATA / "mini-librispeech" / "transcripts.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    between, said, total = interludes(), [], 0
    with tempfile.TemporaryDirectory() as name:
        wav = Path(name, "hour.wav")
        with soundfile.SoundFile(wav, "w", RATE, 1, "PCM_16") as file:
            for n, row in enumerate(rows):
                file.write(samples(DATA / "mini-librispeech" / row["path"]))
                if n % 10 == 9:
                    file.write(between[n // 10 % len(between)])
                said.append(row["text"])
                total = file.tell()
                if total >= HOUR * RATE:
                    break
        took, peak, records = ours([wav], model)
    wer = errors([" ".join(said)], [records[0]["text"]])
    speed = f"{total / RATE / took:.1f} x real time, peak {peak:.0f} MiB"
    return Score(f"{model}: an hour with interludes, words wrong", f"{wer:.1%}", "-", "-", "<= 8 %", wer <= 0.08, speed)


def nothing_rows(model: str) -> Iterator[Score]:
    """Words that are heard in ten minutes without one."""
    random = np.random.default_rng(1)
    length = round(QUIET * RATE)
    with (DATA / "esc10" / "clips.tsv").open() as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["label"] in ("rain", "sea_waves")]
    rain = np.resize(np.concatenate([samples(DATA / "esc10" / row["path"]) for row in rows]), length)
    kinds = {
        "silence": np.zeros(length, np.float32),
        "white noise": 0.05 * random.standard_normal(length).astype(np.float32),
        "rain and sea": rain,
        "music": np.resize(music(), length),
        "applause": applause(random, length),
    }
    with tempfile.TemporaryDirectory() as name:
        for kind, sound in kinds.items():
            wav = Path(name, "x.wav")
            soundfile.write(wav, sound, RATE, "PCM_16")
            record = ours([wav], model)[2][0]
            words = len(record["text"].split())
            note = record["text"][:60]
            yield Score(f"{model}: words heard in 10 minutes of {kind}", str(words), "-", "-", "0", words == 0, note)


def music() -> Floats:
    """A minute of chorale by the program itself."""
    with tempfile.TemporaryDirectory() as name:
        wav = Path(name, "x.wav")
        command = [sys.executable, "-m", "audiocli", "generate-music", "-q", "--seconds", "60", "--seed", "1"]
        subprocess.run([*command, "-o", str(wav)], check=True)
        return samples(wav)


def applause(random: np.random.Generator, length: int) -> Floats:
    """Claps of many hands: short bursts of noise, a few hundred a second."""
    sound = np.zeros(length, np.float32)
    size = round(0.02 * RATE)
    shape = np.exp(-np.arange(size) / (0.004 * RATE)).astype(np.float32)
    for at in random.integers(0, length - size, round(length / RATE * 150)).tolist():
        sound[at : at + size] += random.uniform(0.02, 0.1) * shape * random.standard_normal(size).astype(np.float32)
    return np.clip(sound, -1.0, 1.0)


def times_row(model: str) -> Score:
    """Word times against pocketsphinx's forced alignment of the true words."""
    from pocketsphinx import Decoder, set_loglevel

    set_loglevel("FATAL")
    found = utterances()[::3]
    records = {r["path"]: r for r in ours([path for path, _ in found], model, "--timestamps", "word")[2]}
    off: list[float] = []
    for path, text in found:
        heard = [w for segment in records[str(path)]["segments"] for w in segment["words"]]
        if [letters(w["text"]) for w in heard] != text.lower().split():
            continue  # times of other words say nothing
        decoder = Decoder(bestpath=False)
        try:
            decoder.set_align_text(text.lower())
            decoder.start_utt()
            decoder.process_raw((samples(path) * 32_767).astype(np.int16).tobytes(), full_utt=True)
            decoder.end_utt()
        except RuntimeError:
            continue  # a word that its dictionary lacks
        aligned = [s for s in decoder.seg() if not s.word.startswith(("<", "["))]
        if len(aligned) == len(heard):
            off += [abs(w["start"] - s.start_frame / 100) for w, s in zip(heard, aligned, strict=True)]
    middle = statistics.median(off)
    close = sum(one <= 0.1 for one in off) / len(off)
    note = f"{len(off)} words; {close:.0%} within .1 s"
    return Score(
        f"{model}: starts of words, off by (median)",
        f"{middle * 1e3:.0f} ms",
        "-",
        "-",
        "<= 80 ms",
        middle <= 0.08,
        note,
    )


def letters(word: str) -> str:
    """A word as the transcripts have it."""
    return "".join(c for c in word.lower() if c.isalnum() or c == "'")


def families_row() -> Score | None:
    """The same weights through transformers, from the folder AUDIOCLI_BENCH_WHISPER (../shared/tools/ct2_to_transformers.py).

    Both in float32: what int8 rounds tips a word here and there.
    """
    folder = os.environ.get("AUDIOCLI_BENCH_WHISPER")
    if not folder:
        return None
    found = utterances()
    paths, said = [path for path, _ in found], [text for _, text in found]
    results = []
    for model in (MODELS[0], folder):
        took, _, records = ours(paths, model, "--precision", "float32")
        by_path = {record["path"]: record["text"] for record in records}
        results.append((errors(said, [by_path[str(path)] for path in paths]), took))
    (wer, took), (other, slower) = results
    note = f"{took:.0f} s, {slower:.0f} s"
    return Score(
        "whisper-base in float32, words wrong",
        f"{wer:.1%}",
        "through transformers",
        f"{other:.1%}",
        "within 1 %",
        abs(wer - other) <= 0.01,
        note,
    )


def rows() -> Iterator[Row | Score]:
    yield language_row()
    yield from map(clip_row, MODELS)
    for model in MODELS:
        yield from folder_rows(model)
    yield times_row(MODELS[0])
    if both := families_row():
        yield both
    yield from nothing_rows(MODELS[0])
    if os.environ.get("AUDIOCLI_BENCH_HOURS"):  # it takes a quarter of an hour
        yield hour_row(MODELS[0])


if __name__ == "__main__":
    for row in rows():
        print(row)
