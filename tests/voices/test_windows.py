"""Windows of speech: they cover it, and where the blocks are cut makes no difference."""

import numpy as np
import pytest
import soundfile

from audiocli.vad.cutter import Cutter, spans
from audiocli.vad.silero import SAMPLE_RATE, Silero
from audiocli.voices.windows import HOP, LENGTH, SPEECH, in_batches, windows


@pytest.fixture(scope="module")
def samples(recording):
    return soundfile.read(recording, dtype="float32")[0]


def cut(samples, size):
    blocks = (samples[n : n + size] for n in range(0, len(samples), size))
    return list(windows(Cutter(Silero(), SPEECH), blocks))


def test_windows_cover_the_speech(samples):
    found = [window for window, _ in cut(samples, 100_000)]
    regions = spans(samples, SPEECH)
    assert sorted({window.region for window in found}) == list(range(len(regions)))
    for n, region in enumerate(regions):
        own = [window for window in found if window.region == n]
        assert own[0].start == pytest.approx(region.start)
        assert own[-1].end == pytest.approx(region.end)
        steps = np.diff([window.start for window in own])
        assert all(0 < step <= HOP + 1e-9 for step in steps)
        assert all(window.end - window.start == pytest.approx(min(LENGTH, region.end - region.start)) for window in own)


def test_where_blocks_are_cut_makes_no_difference(samples):
    want, got = cut(samples, 480_000), cut(samples, 777)
    assert [window for window, _ in got] == [window for window, _ in want]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(got, want, strict=True))


def test_samples_are_those_of_the_input(samples):
    for window, own in cut(samples, 100_000):
        first, last = round(window.start * SAMPLE_RATE), round(window.end * SAMPLE_RATE)
        assert len(own) == LENGTH * SAMPLE_RATE
        assert np.array_equal(own[: last - first], samples[first:last])


def test_batches_keep_the_order(samples):
    found = cut(samples, 100_000)
    batches = list(in_batches(iter(found), 7))
    assert [window for some, _ in batches for window in some] == [window for window, _ in found]
    assert all(len(some) == len(own) == 7 for some, own in batches[:-1])
    assert list(in_batches(iter(()), 7)) == []
