"""The built-in recogniser on real speech: its words, their times, the same result whatever came before."""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

import jiwer
import numpy as np
import pytest
import soundfile

from audiocli.errors import InputError, UsageError
from audiocli.inputs.sources import Source, Streamed
from audiocli.models import registry
from audiocli.options import InputOptions, TranscribeOptions
from audiocli.records import Segment
from audiocli.verbs.transcribe import pocketsphinx
from audiocli.verbs.transcribe.recogniser import Partial

HELD = 5  # utterances; their WER by plain pocketsphinx is 0.3


def loaded(**options):
    return pocketsphinx.load(None, registry.MODELS["pocketsphinx"], None, TranscribeOptions(**options))


@pytest.fixture(scope="module")
def runner():
    return loaded()


@pytest.fixture(scope="session")
def utterances(real):
    """(path, text) of short utterances by different speakers."""
    folder = real / "data" / "mini-librispeech"
    rows = csv.DictReader((folder / "transcripts.tsv").open(), delimiter="\t")
    found = {row["speaker"]: (folder / row["path"], row["text"].lower()) for row in rows if 40 < len(row["text"]) < 75}
    return list(found.values())[::4][:HELD]


def item(path, **reading):
    return Streamed(Source(str(path), PurePath("x")), InputOptions(**reading))


def test_words_of_real_speech(runner, utterances):
    records = runner([item(path) for path, _ in utterances])
    assert jiwer.wer([text for _, text in utterances], [record.text for record in records]) < 0.45
    for record in records:
        assert record.status == "ok"
        assert record.language == "en"
        assert record.model == "pocketsphinx"
        words = [word for segment in record.segments for word in segment.words]
        assert " ".join(word.text for word in words) == record.text
        times = [time for word in words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= record.duration + 0.01
        assert all(0 <= word.probability <= 1 for word in words)
        assert not set("<>[]()") & set(record.text)


def test_what_came_before_makes_no_difference(runner, utterances):
    (first, _), (second, _) = utterances[:2]
    alone = runner([item(second)])[0]
    assert runner([item(first), item(second)])[1] == alone


def test_several_processes_say_the_same(runner, utterances, tmp_path):
    items = [item(path) for path, _ in utterances[:3]]
    spread = runner.spread(2)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda each: spread([each])[0], items)) == runner(items)
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError):
        spread([item(tmp_path / "x.wav")])


def test_times_are_those_of_the_input(runner, utterances, tmp_path):
    samples, _ = soundfile.read(utterances[0][0], dtype="float32")
    plain = runner([item(utterances[0][0])])[0]
    soundfile.write(tmp_path / "late.wav", np.concatenate([np.zeros(512 * 100, np.float32), samples]), 16_000)
    late = runner([item(tmp_path / "late.wav")])[0]
    assert late.segments[0].start - plain.segments[0].start == pytest.approx(3.2, abs=0.35)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02, 3.0])
@pytest.mark.parametrize("vad", [True, False])
def test_silence_is_no_speech(seconds, vad, tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(int(seconds * 16_000)), 16_000)
    record = loaded(vad=vad)([item(tmp_path / "x.wav")])[0]
    assert (record.text, record.segments) == ("", ())
    assert record.status == "no_speech"
    assert record.duration == pytest.approx(seconds, abs=1e-4)
    assert bool(record.dropped) == (seconds >= 1)


def test_very_short_sounds_do_no_harm(runner):
    for size in (1, 100, 512, 2_000):
        found = runner.hear(0, np.full(size, 0.1, np.float32))
        assert len(found) <= 1


def test_what_it_cannot_do_is_said():
    with pytest.raises(UsageError, match=r"pocketsphinx .*--model"):
        loaded(language="de")
    loaded(language="en-US")


def test_a_live_session_settles_on_what_a_file_says(runner, utterances, tmp_path):
    parts = [soundfile.read(path, dtype="float32")[0] for path, _ in utterances[:2]]
    samples = np.concatenate([parts[0], np.zeros(16_000, np.float32), parts[1]])
    soundfile.write(tmp_path / "x.wav", samples, 16_000, subtype="FLOAT")
    session, events = runner.listen(), []
    for i in range(0, samples.size, 1_600):
        events += session.push(samples[i : i + 1_600])
    events += session.finish()
    settled = tuple(event for event in events if isinstance(event, Segment))
    assert settled == runner([item(tmp_path / "x.wav")])[0].segments
    assert len(settled) >= 2
    assert isinstance(events[0], Partial)
    assert sum(isinstance(event, Partial) for event in events) > 6
