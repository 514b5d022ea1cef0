"""Live sessions of models that hear clips: settled text is that of a file, and the words so far are its beginning."""

from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli.inputs.sources import Source
from audiocli.options import InputOptions, TranscribeOptions
from audiocli.records import Segment
from audiocli.verbs.transcribe import ctc, listening
from audiocli.verbs.transcribe import work as transcripts
from tests.models import tiny

BLOCK = 1_600  # samples that come at once: 0.1 s


@pytest.fixture(scope="module")
def clips(shared):
    return [clip.samples[0] for clip in tiny.clips(shared)]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A slow machine hears as often as a fast one."""
    monkeypatch.setattr(listening, "PATIENCE", 0.0)
    monkeypatch.setattr(listening, "STEP", 0.3)


@pytest.fixture
def recogniser(shared, tmp_path_factory):
    """A real adapter with a model that knows the clips, and no way of its own to listen (Whisper has one)."""
    return tiny.runner(ctc.load, tiny.trained("ctc", shared, tmp_path_factory), timestamps="word")


def streamed(recogniser, samples, **options):
    """(texts on the way, segments that settled)."""
    session = listening.Again(recogniser, TranscribeOptions(**options))
    events = [event for n in range(0, samples.size, BLOCK) for event in session.push(samples[n : n + BLOCK])]
    events += session.finish()
    partials = [event.text for event in events if not isinstance(event, Segment)]
    return partials, [event for event in events if isinstance(event, Segment)]


def test_an_utterance_settles_on_its_text(real, recogniser, clips):
    heard = [streamed(recogniser, clip, vad=False) for clip in clips]
    assert [" ".join(segment.text for segment in settled) for _, settled in heard] == [u.text for u in tiny.UTTERANCES]
    assert any(each.text.startswith(tuple(said)) for each, (said, _) in zip(tiny.UTTERANCES, heard, strict=True))


def test_what_settles_is_what_a_file_says(recogniser, clips, tmp_path, monkeypatch):
    """Piece by piece, with the times of the whole: a file's pieces are merged into windows, a stream's are not."""
    gap = np.zeros(2 * tiny.RATE, np.float32)
    samples = np.concatenate([part for clip in clips for part in (clip, gap)])
    soundfile.write(tmp_path / "x.wav", samples, tiny.RATE, "FLOAT")
    monkeypatch.setattr(transcripts, "WINDOW", 0.0)
    work = transcripts.Work(recogniser, InputOptions(), {}, vad=True)
    (record,) = work([work.read(Source(str(tmp_path / "x.wav"), PurePath("x.wav")))])
    _, settled = streamed(recogniser, samples)
    assert len(settled) >= len(clips)
    assert tiny.UTTERANCES[0].text in " ".join(segment.text for segment in settled)
    assert [segment.text for segment in settled] == [segment.text for segment in record.segments]
    times = [[word.start for segment in found for word in segment.words] for found in (settled, record.segments)]
    assert times[0] == pytest.approx(times[1], abs=0.1)
