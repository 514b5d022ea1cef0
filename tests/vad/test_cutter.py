"""Speech found, silence and noise left out, and one result wherever the blocks are cut."""

import itertools

import numpy as np
import pytest
import soundfile

from audiocli.vad import cutter

RATE = cutter.SAMPLE_RATE


@pytest.fixture(scope="module")
def clip(recording):
    return soundfile.read(recording, dtype="float32")[0]


def noise(seconds, level=0.05):
    return (level * np.random.default_rng(1).standard_normal(int(seconds * RATE))).astype(np.float32)


def reference(recording):
    """Seconds of speech in the annotation beside the recording."""
    rows = [line.split() for line in recording.with_suffix(".rttm").read_text().splitlines()]
    return [(float(row[3]), float(row[3]) + float(row[4])) for row in rows if row and row[0] == "SPEAKER"]


def active(spans, length):
    frames = np.zeros(int(length * 100), bool)
    for start, end in spans:
        frames[round(start * 100) : round(end * 100)] = True
    return frames


def test_speech_is_found(clip, recording):
    found = active([(span.start, span.end) for span in cutter.spans(clip)], 30)
    want = active(reference(recording), 30)
    assert np.mean(found == want) > 0.9
    assert np.mean(found[want]) > 0.95  # little is missed


@pytest.mark.parametrize("quiet", [np.zeros(3 * RATE, np.float32), noise(10), noise(3, 1e-5), np.zeros(0, np.float32)])
def test_silence_and_noise_are_no_speech(quiet):
    assert cutter.spans(quiet) == []


@pytest.mark.parametrize("down", [40, 50])
def test_quiet_speech_is_found_as_loud_speech_is(clip, down):
    """In 16 bits, as a recorder that was set too low writes it."""
    quiet = (np.rint(clip * 10 ** (-down / 20) * 32_768) / 32_768).astype(np.float32)
    loud, found = (active([(span.start, span.end) for span in cutter.spans(samples)], 30) for samples in (clip, quiet))
    assert np.mean(found == loud) > 0.95
    assert found.sum() > 0.95 * loud.sum()


@pytest.mark.parametrize("level", [1e-1, 1e-2, 1e-3, 1e-4])
def test_noise_of_no_level_is_speech(level):
    assert cutter.spans(noise(10, level)) == []


def test_loud_sound_is_heard_as_it_is(clip):
    """The second network hears only the frames before the first loud one."""
    frames = clip[: clip.size // cutter.FRAME * cutter.FRAME].reshape(-1, cutter.FRAME)
    loud = int(np.argmax(np.sqrt((frames**2).mean(axis=1)) >= cutter.TARGET))
    both, plain = cutter.Attentive()(frames), cutter.Silero()(frames)
    assert loud
    np.testing.assert_array_equal(both[loud:], plain[loud:])
    assert (both >= plain).all()


def test_a_lower_threshold_finds_more(clip):
    seconds = [
        sum(span.end - span.start for span in cutter.spans(clip, cutter.Cut(threshold)))
        for threshold in (0.02, 0.5, 0.99)
    ]
    assert 29.9 > seconds[0] > seconds[1] > seconds[2]


def test_silence_around_speech_is_cut(clip):
    silence = np.zeros(5 * RATE, np.float32)
    (span,) = cutter.spans(np.concatenate([silence, clip[8 * RATE : 12 * RATE], silence]), cutter.Cut(silence=2.0))
    assert 4.5 < span.start < 6.5
    assert 7.5 < span.end < 9.6


def test_blocks_may_be_cut_anywhere(clip):
    def chunks(size):
        work = cutter.cutter(True)
        found = [chunk for i in range(0, clip.size, size) for chunk in work.push(clip[i : i + size])]
        return [(c.start, c.samples.sum(), c.begins, c.ends) for c in (*found, *work.finish())]

    want = chunks(clip.size)
    assert [c[0] for c in chunks(1_000)] == [c[0] for c in want]
    np.testing.assert_allclose([c[1] for c in chunks(7_777)], [c[1] for c in want])


@pytest.mark.parametrize("heard", [True, False])
def test_pieces_are_whole_and_none_is_too_long(clip, heard):
    cut = cutter.Cut(longest=4.0, comfortable=2.0, onset=0.0, silence=0.5, trail=0.25)
    for span in cutter.spans(clip, cut, vad=heard):
        assert 0.0 <= span.start < span.end <= 30.0
        assert span.end - span.start <= 4.0 + 0.1


def test_without_vad_nothing_is_lost(clip):
    spans = cutter.spans(clip, vad=False)
    assert spans[0].start < 0.1
    assert spans[-1].end == 30.0
    assert all(abs(a.end - b.start) < 1e-9 for a, b in itertools.pairwise(spans))


def test_neighbours_are_merged_up_to_a_window():
    spans = [cutter.Span(float(n), n + 0.5) for n in range(10)]
    merged = cutter.merged(spans, 3.0)
    assert [(m.start, m.end) for m in merged] == [(0.0, 2.5), (3.0, 5.5), (6.0, 8.5), (9.0, 9.5)]
    assert cutter.merged([], 3.0) == []


def test_the_work_knows_what_it_left_out(clip):
    work = cutter.cutter(True)
    kept = sum(
        c.samples.size for c in (*work.push(np.concatenate([np.zeros(RATE * 9, np.float32), clip])), *work.finish())
    )
    assert work.seconds == pytest.approx(39.0)
    assert work.kept == pytest.approx(kept / RATE)
    assert 15 < work.kept < 30
