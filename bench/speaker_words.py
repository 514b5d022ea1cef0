"""Words with speakers: the errors in them beside those in the words alone, in made-up conversations of held-out speakers.

Their turns are whole utterances of at most 10 s, whose words are known. cpWER and WDER by the definitions in word_errors.py; where
people speak at once, the words of the reference are in order of time as if spoken evenly over each turn.
"""

import csv
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import soundfile

from audiocli import audio
from audiocli.errors import ModelError
from audiocli.inputs.sources import Source
from audiocli.models.load import load
from audiocli.models.locate import locate, silent
from audiocli.options import InputOptions, ModelOptions, TranscribeOptions
from audiocli.records import Segment, Turn
from audiocli.verbs.transcribe.recogniser import Recogniser
from audiocli.verbs.transcribe.speakers.with_speakers import with_speakers
from audiocli.verbs.transcribe.work import Work
from bench._common import Score
from bench.conversations import OVERLAP, RATE, Floats, conversation, dialogue, held_out, levelled, speakers
from bench.real_models import normaliser
from bench.word_errors import Rate, Said, cpwer, wder, wer
from tests.kernels.rhythm_signals import DATA

RECOGNISER = "whisper-tiny.en"
DIARIZERS = ("sinc-segmenter", "pyannote-segmentation")
DIALOGUES, CONVERSATIONS = 20, 10
LONGEST = 10.0  # s of an utterance
CHOICE = ModelOptions(offline=True)


@dataclass(frozen=True)
class Spoken:
    """A conversation: its sound, its turns, and the text of each."""

    samples: Floats
    turns: Sequence[Turn]
    texts: Sequence[str]


def made(count: int, seed: int, *, overlap: bool) -> Iterator[Spoken]:
    """Conversations of held-out speakers, the same in every run."""
    with (DATA / "mini-librispeech" / "transcripts.tsv").open() as file:
        texts = {DATA / "mini-librispeech" / row["path"]: row["text"] for row in csv.DictReader(file, delimiter="\t")}
    draw, rooms = random.Random(seed), np.random.default_rng(seed)
    files = {who: [one for one in speakers()[who] if audio.read(one).duration <= LONGEST] for who in held_out()}
    for _ in range(count):
        chosen = list[str]()

        def whole(_: random.Random, path: Path, chosen: list[str] = chosen) -> Floats:
            chosen.append(texts[path])
            return levelled(audio.read(path, sample_rate=RATE, mono=True).samples[0])

        if overlap:
            samples, turns = conversation(draw, rooms, held_out(), files, "4", whole)
        else:
            samples, turns = dialogue(draw, held_out(), files, whole)
        yield Spoken(samples, turns, chosen)


def heard(diarizer: str, some: Sequence[Spoken]) -> list[Sequence[Segment]]:
    """What `transcribe --diarize` makes of conversations. Raises ModelError where a model is not on this machine."""
    options = TranscribeOptions(timestamps="word", diarize=True, diarize_model=diarizer)
    words = Work(load(RECOGNISER, "transcribe", Recogniser, CHOICE, options), InputOptions(), {}, vad=True)
    work = with_speakers(words, options, CHOICE, InputOptions(), silent)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.wav")
        found = list[Sequence[Segment]]()
        for one in some:
            soundfile.write(path, one.samples, RATE, "FLOAT")
            found += [record.segments for record in work([work.read(Source(str(path), PurePath(path.name)))])]
    return found


def reference(spoken: Spoken) -> list[Said]:
    """The words of a conversation in order of time."""
    plain, timed = normaliser(), list[tuple[float, Said]]()
    for turn, text in zip(spoken.turns, spoken.texts, strict=True):
        words = plain(text).split()
        timed += [
            (turn.start + (turn.end - turn.start) * n / len(words), Said(word, turn.speaker))
            for n, word in enumerate(words)
        ]
    return [word for _, word in sorted(timed, key=lambda one: one[0])]


def errors(spoken: Spoken, segments: Sequence[Segment]) -> tuple[Rate, Rate, Rate]:
    """WER, cpWER and WDER."""
    plain, there = normaliser(), reference(spoken)
    found = [Said(word, one.speaker) for one in segments for word in plain(one.text).split()]
    texts = [[word.text for word in some] for some in (there, found)]
    return wer(*texts), cpwer(by_speaker(there), by_speaker(found)), wder(there, found)


def by_speaker(words: Sequence[Said]) -> dict[str, list[str]]:
    """The words of each speaker; those without one are together another one's."""
    found = defaultdict[str, list[str]](list)
    for word in words:
        found[word.speaker or "nobody"].append(word.text)
    return dict(found)


def row(what: str, diarizer: str, some: Sequence[Spoken], most: float | None = None) -> Score:
    """The errors in conversations. most: share of the words by which cpWER may be above WER."""
    each = [errors(spoken, segments) for spoken, segments in zip(some, heard(diarizer, some), strict=True)]
    plain, both, who = (sum(rates, Rate(0, 0)).rate for rates in zip(*each, strict=True))
    apart = sum(cp.errors > one.errors for one, cp, _ in each)
    target = "-" if most is None else f"at most {100 * most:.0f} points above"
    return Score(
        f"{RECOGNISER} with {diarizer}, {what}: cpWER, WDER", f"{both:.1%}, {who:.1%}", "words alone: WER", f"{plain:.1%}",
        target, most is None or both - plain <= most, f"cpWER is above WER in {apart} of {len(some)}",
    )  # fmt: skip


def rows() -> Iterator[Score]:
    try:
        for name, task in ((RECOGNISER, "transcribe"), *((one, "diarize") for one in DIARIZERS)):
            locate(name, task, offline=True)
    except ModelError as error:
        print(f"no words with speakers: {error}", file=sys.stderr)
        return
    clean, mixed = (
        list(made(DIALOGUES, 2, overlap=False)),
        list(made(CONVERSATIONS, 2, overlap=True)),
    )
    for diarizer in DIARIZERS:
        yield row(f"{DIALOGUES} dialogues", diarizer, clean, 0.03)
    for diarizer in DIARIZERS:
        what = f"{CONVERSATIONS} conversations with {OVERLAP:.0%} overlap in rooms and noise"
        yield row(what, diarizer, mixed)


if __name__ == "__main__":
    for score in rows():
        print(score)
