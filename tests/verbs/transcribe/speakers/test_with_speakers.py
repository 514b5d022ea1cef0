"""The runner of `transcribe --diarize`: a recogniser and a diarizer about one input."""

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli import audio
from audiocli.inputs.sources import Source
from audiocli.models.load import load
from audiocli.options import InputOptions, ModelOptions
from audiocli.records import Diarization, Segment, Transcript, Turn, Word
from audiocli.run import batch
from audiocli.verbs.diarize import work as turns
from audiocli.verbs.transcribe.speakers.with_speakers import WithSpeakers
from audiocli.voices.clusters import Bounds
from audiocli.voices.embeddings import SpeakerEncoder
from tests.kernels.rhythm_signals import DATA

RATE, START = 16_000, 2.0


@dataclass(frozen=True)
class Heard(batch.Work[Source, Transcript]):
    """A recogniser that has heard these words."""

    words: tuple[Word, ...]

    def __call__(self, batch):
        text = " ".join(word.text for word in self.words)
        segment = Segment(self.words[0].start, self.words[-1].end, text, self.words)
        return [
            Transcript(
                path="x", duration=15.0, sample_rate=RATE, task="transcribe", text=text, language="en", segments=(segment,)
            )
            for _ in batch
        ]  # fmt: skip


def diarizer(*found):
    """A diarizer that has heard these turns."""
    about = {"path": "x", "duration": 15.0, "sample_rate": RATE, "task": "diarize"}
    return lambda batch: [Diarization(**about, turns=found, exclusive=False) for _ in batch]


def spoken(speaker, seconds):
    paths = sorted((DATA / "mini-librispeech" / speaker).glob("*.opus"))[:5]
    if not paths:
        pytest.skip("no ../shared/data/mini-librispeech")
    samples = [audio.read(path, sample_rate=RATE, mono=True).samples[0] for path in paths]
    return np.concatenate(samples)[: round(seconds * RATE)]


def encoder():
    return load("siamese-speakers", "verify", SpeakerEncoder, ModelOptions(offline=True))


@pytest.mark.parametrize("louder", [0, 1])
def test_where_both_speak_words_are_whose_the_voice_is(tmp_path, louder):
    """The times of words and turns are those of the input, whatever --start leaves out of it."""
    low, high = spoken("5789", 9), spoken("7367", 9)
    loud, soft = (low, high) if louder == 0 else (high, low)
    both = loud[6 * RATE :] + 0.1 * soft[6 * RATE :]
    samples = np.concatenate([np.zeros(int(START * RATE)), low[: 6 * RATE], high[: 6 * RATE], both])
    soundfile.write(tmp_path / "x.wav", samples, RATE, "FLOAT")
    reading = InputOptions(start=START)
    found = diarizer(Turn(0.0, 6.0, "a"), Turn(6.0, 12.0, "b"), Turn(12.0, 15.0, "a"), Turn(12.0, 15.0, "b"))
    words = (Word("first.", 3.0, 3.5), Word("second.", 9.0, 9.5), Word("both", 15.5, 15.9), Word("here.", 15.9, 16.2))
    work = WithSpeakers(Heard(words), turns.Work(found, reading, Bounds(), {}), encoder)
    (record,) = work([work.read(Source(str(tmp_path / "x.wav"), PurePath("x.wav")))])
    said = [word for segment in record.segments for word in segment.words]
    assert [word.speaker for word in said] == ["SPEAKER_00", "SPEAKER_01", *[f"SPEAKER_0{louder}"] * 2]
    assert all(word.speaker == segment.speaker for segment in record.segments for word in segment.words)
    assert [word.end for word in said] == [word.end for word in words]


def test_without_overlap_no_voice_is_heard(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(3 * RATE), RATE)

    def fails():
        raise AssertionError("the encoder was loaded")

    words = (Word("one", 0.5, 1.0), Word("two", 1.2, 1.6))
    work = WithSpeakers(Heard(words), turns.Work(diarizer(Turn(0.0, 3.0, "a")), InputOptions(), Bounds(), {}), fails)
    (record,) = work([work.read(Source(str(tmp_path / "x.wav"), PurePath("x.wav")))])
    assert [word.speaker for word in record.segments[0].words] == ["SPEAKER_00"] * 2
