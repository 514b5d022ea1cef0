"""Windows of speech out of a stream: those that the whole clip in memory has, whatever the blocks are, and little is held."""

import itertools

import numpy as np
import pytest
import soundfile

from audiocli.vad import cutter, windows
from audiocli.vad.silero import SAMPLE_RATE

LONGEST = 8.0  # s
CUT = cutter.Cut(silence=0.2, comfortable=2.0)  # many pieces


@pytest.fixture(scope="module")
def sound(recording):
    """The conversation, twenty seconds of nothing, and its beginning once more."""
    samples, rate = soundfile.read(recording, dtype="float32")
    assert rate == SAMPLE_RATE
    return np.concatenate([samples, np.zeros(20 * rate, np.float32), samples[: 10 * rate]])


def cut(sound, size):
    return [sound[first : first + size] for first in range(0, len(sound), size)]


@pytest.mark.parametrize("size", [777, 16_000, 10**9])
def test_windows_are_those_of_the_whole_clip(sound, size):
    expected = cutter.merged(cutter.spans(sound, CUT), LONGEST)
    assert len(expected) > 3
    found = list(windows.windows(cut(sound, size), LONGEST, CUT))
    assert [span for span, _ in found] == expected
    for span, samples in found:
        first, last = round(span.start * SAMPLE_RATE), round(span.end * SAMPLE_RATE)
        np.testing.assert_array_equal(samples, sound[first:last])


def test_nothing_comes_of_silence():
    assert list(windows.windows([np.zeros(SAMPLE_RATE, np.float32)] * 3, LONGEST)) == []


def test_only_what_may_still_be_needed_is_held(sound, monkeypatch):
    held = []
    forget = windows._Building._forget

    def counting(self, before):
        forget(self, before)
        held.append(sum(map(len, self._parts)))

    monkeypatch.setattr(windows._Building, "_forget", counting)
    blocks = itertools.chain.from_iterable(itertools.repeat(cut(sound, 4_000), 2))
    list(windows.windows(blocks, LONGEST, CUT))
    longest = max(cutter.Cut.longest, LONGEST) * SAMPLE_RATE
    assert max(held) <= longest + LONGEST * SAMPLE_RATE + 2 * windows.KEPT
