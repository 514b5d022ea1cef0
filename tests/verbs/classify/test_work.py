"""From windows to labels and events, with a tagger that hears nothing but loudness."""

import math
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from audiocli.errors import UsageError
from audiocli.inputs.sources import find
from audiocli.options import ClassifyOptions, InputOptions
from audiocli.records import Segment
from audiocli.verbs.classify import work as labelling
from audiocli.verbs.classify.course import Course
from audiocli.verbs.classify.events import bridged, events, floor, spans, with_edges
from audiocli.verbs.classify.levels import Levels
from audiocli.verbs.classify.tagger import Traits
from audiocli.verbs.classify.work import Work, best, chosen, named

RATE = 1_000


class Loud:
    """Is sure of "loud" as far as the window's peak goes; counts its calls."""

    labels, sample_rate, window, traits = ("loud", "quiet"), RATE, 2.0, Traits()

    def __init__(self):
        self.calls, self.sizes = 0, []

    def __call__(self, windows):
        self.calls += 1
        self.sizes += [len(window) for window in windows]
        share = np.array([np.mean(np.abs(window) > 0.1) for window in windows], np.float32)
        return np.stack([share, 1 - share], axis=1)


def work(tagger=None, **options):
    return Work(tagger or Loud(), ClassifyOptions(**options), InputOptions(), {}, "loud", None)


def sources(tmp_path, **sounds):
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="FLOAT")
    return list(find([str(tmp_path / f"{name}.wav") for name in sounds]))


def square(*parts):
    """(seconds, level)..., a tone of half the rate."""
    levels = np.concatenate([np.full(int(seconds * RATE), level, np.float32) for seconds, level in parts])
    return levels * (-1.0) ** np.arange(len(levels), dtype=np.float32)


def heard(run, found):
    return run([run.read(source) for source in found])


def test_windows_tile_a_file_and_a_short_rest_is_left_out(tmp_path):
    tagger = Loud()
    found = sources(tmp_path, a=square((4.5, 0.5)), b=square((5.5, 0.5)), c=square((0.3, 0.5)), d=square((2, 0.5)))
    records = heard(work(tagger), found)
    assert sorted(tagger.sizes) == sorted([2000, 2000, 2000, 2000, 1500, 300, 2000])
    assert tagger.calls == 1
    assert [record.duration for record in records] == [4.5, 5.5, 0.3, 2.0]


def test_long_inputs_are_as_short_ones(tmp_path, monkeypatch):
    sound = square((3, 0.5), (4, 0.0), (2.7, 0.5))
    for options in ({}, {"events": True}, {"window": 1.0, "hop": 0.25}):
        (whole,) = heard(work(**options), sources(tmp_path, a=sound))
        with monkeypatch.context() as patch:
            patch.setattr(labelling, "IN_MEMORY", 1.0)
            patch.setattr(labelling, "WINDOWS", 3)
            (streamed,) = heard(work(**options), sources(tmp_path, a=sound))
        assert streamed == whole


@pytest.mark.parametrize(
    ("sound", "status"),
    [(np.zeros(0), "empty"), (np.zeros(2000), "silent"), (square((1, 0.5)), "ok"), (square((1, 1e-6)), "silent")],
)
def test_silence(tmp_path, sound, status):
    for kind in ({}, {"events": True}):
        (record,) = heard(work(**kind), sources(tmp_path, a=sound))
        assert record.status == status
        assert bool(record.labels) == (status == "ok")


@pytest.mark.parametrize("window", [0.4, 1.0])
def test_events_begin_and_end_where_the_sound_does(tmp_path, window):
    sound = square((2.0, 0.0), (1.5, 0.5), (3.0, 0.0), (2.5, 0.5))
    (record,) = heard(work(events=True, labels="loud,quiet", window=window), sources(tmp_path, a=sound))
    loud = [(event.start, event.end) for event in record.segments if event.text == "loud"]
    np.testing.assert_allclose(loud, [(2.0, 3.5), (6.5, 9.0)], atol=0.3)


def test_the_start_is_added(tmp_path):
    sound = square((2.0, 0.0), (2, 0.5), (2.0, 0.0))
    run = Work(Loud(), ClassifyOptions(events=True), InputOptions(start=1.0), {}, "loud", None)
    (record,) = heard(run, sources(tmp_path, a=sound))
    (event,) = (event for event in record.segments if event.text == "loud")
    assert event.start == pytest.approx(2.0, abs=0.3)


@given(st.lists(st.floats(0, 1, width=32), max_size=30))
def test_spans_have_hysteresis(curve):
    curve = np.array(curve, np.float32)
    found = list(spans(curve, 0.6, 0.3))
    inside = np.zeros(len(curve), bool)
    for first, last in found:
        assert curve[first : last + 1].min() >= np.float32(0.3)
        assert curve[first : last + 1].max() >= np.float32(0.6)
        inside[first : last + 1] = True
    assert not (curve[~inside] >= 0.6).any()
    assert all(one[1] + 1 < other[0] for one, other in pairwise(found))


def test_short_events_are_left_out_and_smoothing_closes_holes():
    curve = np.zeros((100, 1), np.float32)
    curve[10] = curve[30:50] = 1.0
    curve[40] = 0.0
    found = events([("x", curve[:, 0])], 0.1, 10.0, ClassifyOptions(smooth=0.3, shortest=0.3), 0.5)
    assert [(round(event.start, 2), round(event.end, 2)) for event in found] == [(2.95, 4.95)]


def course(probabilities, least):
    """A course in pieces of a few windows."""
    result = Course(len(probabilities[0]), least)
    for first in range(0, len(probabilities), 7):
        result.add(np.array(probabilities[first : first + 7], np.float32))
    return result


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.sampled_from([0.1, 0.3, 0.7]))
def test_what_lies_below_the_floor_makes_no_event(seed, threshold, smooth):
    """The events of what is kept are those of all the probabilities."""
    random = np.random.default_rng(seed)
    probabilities = np.cumsum(random.normal(0.0, 0.2, (60, 5)), axis=0) % 1.0
    probabilities = np.float32(probabilities * random.random(5))
    kept = course(probabilities, floor(threshold))
    options = ClassifyOptions(smooth=smooth, shortest=0.1)
    labels = "abcde"
    found = events(((labels[n], curve) for n, curve in kept.curves(threshold)), 0.1, 6.0, options, threshold)
    assert found == events(zip(labels, probabilities.T, strict=True), 0.1, 6.0, options, threshold)
    np.testing.assert_allclose(kept.mean(), probabilities.mean(axis=0), rtol=1e-5)


def test_hours_of_many_labels_keep_little():
    """An hour, ten windows a second of 521 labels, of which three are heard: 75 MB come in."""
    import tracemalloc

    block = np.full((600, 521), 0.01, np.float32)
    block[:100, :3] = 0.9
    kept = Course(521, 0.1)
    tracemalloc.start()
    for _ in range(60):
        kept.add(block)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert size < 1 << 20
    assert [(label, curve.shape, int((curve > 0).sum())) for label, curve in kept.curves(0.5)] == [
        (label, (36_000,), 6_000) for label in range(3)
    ]


def test_near_events_of_one_label_are_one():
    assert list(bridged([(1, 3), (6, 8), (12, 13)], 2)) == [(1, 8), (12, 13)]
    assert list(bridged([(1, 3), (6, 8)], 1.9)) == [(1, 3), (6, 8)]
    assert list(bridged([], 5)) == []


EDGES = ClassifyOptions(gap=0.0)


def test_edges_lie_where_the_sound_is():
    power = np.full(500, 1e-6, np.float32)  # 10 s
    power[150:260] = 1e-2
    loud, faint = Segment(2.6, 5.6, "dog"), Segment(7.0, 8.0, "sea")
    edged = with_edges([loud, faint], power, 0.5, EDGES)
    assert [(one.start, one.end) for one in edged] == [(3.0, 5.2), (7.0, 8.0)]
    assert with_edges([loud], power[:0], 0.5, EDGES) == (loud,)
    assert with_edges([], power, 0.5, EDGES) == ()


def test_events_grow_as_far_as_their_sound_and_up_to_their_neighbours():
    power = np.full(1_000, 1e-6, np.float32)  # 20 s
    power[100:300] = power[304:410] = power[600:900] = 1e-2  # 2 to 8.2 s with a hole of 80 ms, 12 to 18 s
    dog, rain, sea = Segment(4.0, 5.0, "dog"), Segment(13.0, 14.0, "rain"), Segment(16.0, 17.0, "sea")
    options = ClassifyOptions(gap=0.1)
    grown = with_edges([dog, rain, sea], power, 0.0, options)
    assert [(one.start, one.end, one.text) for one in grown] == [
        (2.0, 8.2, "dog"),
        (12.0, 16.0, "rain"),
        (14.0, 18.0, "sea"),
    ]
    for gap, end in ((0.0, 6.0), (0.08, 6.0), (5.0, 9.0)):  # a pause as long as the gap ends it; never further than 4 s
        (one,) = with_edges([dog], power, 0.0, ClassifyOptions(gap=gap))
        assert (one.start, one.end) == (2.0, min(end, 8.2))
    inside = with_edges([dog, Segment(3.0, 7.0, "animal")], power, 0.0, options)
    assert [(one.start, one.end, one.text) for one in inside] == [(2.0, 8.2, "animal"), (2.0, 8.2, "dog")]
    parts = [Segment(3.0, 4.0, "dog", probability=0.4), Segment(5.5, 6.0, "dog", probability=0.9)]
    (whole,) = with_edges(parts, power, 0.0, options)
    assert (whole.start, whole.end, whole.probability) == (2.0, 8.2, 0.9)


def test_events_do_not_grow_further_than_four_seconds():
    power = np.full(1_000, 1e-6, np.float32)
    power[100:900] = 1e-2  # 2 to 18 s
    (one,) = with_edges([Segment(9.0, 10.0, "dog")], power, 0.0, EDGES)
    assert (one.start, one.end) == (5.0, 14.0)


def test_events_of_a_label_with_a_short_pause_between_them_are_one():
    power = np.full(500, 1e-6, np.float32)
    power[100:150] = power[200:250] = 1e-2  # 2 to 3 s, 4 to 5 s
    parts = [Segment(2.0, 3.0, "dog"), Segment(4.0, 5.0, "dog")]
    for gap, count in ((0.9, 2), (1.1, 1)):
        assert len(with_edges(parts, power, 0.0, ClassifyOptions(gap=gap))) == count


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.3, 3), st.sampled_from("abc")), max_size=6), st.integers(0, 99))
def test_grown_events_hold_what_was_there(some, seed):
    power = np.random.default_rng(seed).choice(np.array([1e-6, 1e-2], np.float32), 25).repeat(20)
    before = [Segment(start, min(start + length, 10.0), text) for start, length, text in some]
    edged, grown = (with_edges(before, power, 0.5, ClassifyOptions(gap=gap)) for gap in (0.0, 1.0))
    for one in edged:
        assert any(g.text == one.text and g.start <= one.start + 0.011 and g.end >= one.end - 0.011 for g in grown)
    assert all(g.start >= 0 and g.end <= 10.0 for g in grown)


def test_levels_leave_out_rumble_and_are_the_same_in_blocks():
    time = np.arange(32_000, dtype=np.float32) / 16_000
    tone = np.where(time > 1.0, np.float32(0.1) * np.sin(2 * np.pi * 1_000 * time), 0).astype(np.float32)
    rumble = (0.5 * np.sin(2 * np.pi * 15 * time) + 0.2).astype(np.float32)
    clean, dirty, pieces = Levels(16_000), Levels(16_000), Levels(16_000)
    clean.push(tone)
    dirty.push(tone + rumble)
    for piece in np.split(tone + rumble, [1, 700, 16_001]):
        pieces.push(piece)
    np.testing.assert_allclose(pieces.power(), dirty.power(), rtol=1e-4, atol=1e-9)
    assert len(dirty.power()) == 100
    np.testing.assert_allclose(clean.power()[60:], 0.005, rtol=0.02)
    np.testing.assert_allclose(dirty.power()[60:], 0.005, rtol=0.05)
    assert dirty.power()[20:49].max() < 1e-3 * 0.125


def test_best():
    found = best(course([[0.2, 0.5, 0.3], [0.4, 0.1, 0.5]], math.inf), ["a", "b", "c"], 2, 0.31)
    assert [(label.label, label.score) for label in found] == [("c", pytest.approx(0.4))]


def test_a_choice_among_the_models_labels():
    assert chosen(["Dog", "Cat", "Rain"], None) == (None, ("Dog", "Cat", "Rain"))
    assert chosen(["Dog", "Cat", "Rain"], "rain, DOG") == ([2, 0], ("Rain", "Dog"))
    with pytest.raises(UsageError, match=r"no label 'rein': did you mean Rain\?"):
        chosen(["Dog", "Cat", "Rain"], "dog,rein")


def test_labels_from_a_file(tmp_path):
    (tmp_path / "labels.txt").write_text("a dog, barking\n\n rain\n")
    assert named(str(tmp_path / "labels.txt")) == ("a dog, barking", "rain")
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "labels.txt").write_bytes("# mine\r\nGeräusch\r\nrain\r\n".encode(encoding))
        assert named(str(tmp_path / "labels.txt")) == ("Geräusch", "rain")
    (tmp_path / "labels.txt").write_bytes(b"Ger\xe4usch\n")
    with pytest.raises(UsageError, match="save it as UTF-8"):
        named(str(tmp_path / "labels.txt"))
    assert named("dog, rain,,dog") == ("dog", "rain")
    with pytest.raises(UsageError, match="no labels"):
        named(" , ")


class Independent(Loud):
    """Whose labels may hold at once; its windows follow each other every half a second."""

    traits = Traits(independent=True, threshold=0.9, hop=0.5)


def test_a_model_says_what_its_answers_mean(tmp_path):
    sound = square((2.0, 0.0), (0.8, 0.5), (2.0, 0.0), (3.0, 0.5))
    (events,) = heard(work(Independent(), events=True, labels="loud", smooth=0.0, gap=0.1), sources(tmp_path, a=sound))
    assert [event.text for event in events.segments] == ["loud"]  # the short sound never fills a window
    assert events.segments[0].start == pytest.approx(4.8, abs=0.1)
    tagger = Independent()
    (record,) = heard(work(tagger, labels="quiet"), sources(tmp_path, a=square((2.5, 0.5), (1.5, 0.0))))
    assert tagger.sizes == [2000, 2000, 2000, 2000, 2000, 1500]
    assert record.labels[0].score == pytest.approx(np.mean([0, 0, 0.25, 0.5, 0.75, 1.0]), abs=1e-3)


def test_what_is_left_adds_up_to_one(tmp_path):
    (record,) = heard(work(labels="quiet"), sources(tmp_path, a=square((1, 0.5), (1, 0.05))))
    assert [(label.label, label.score) for label in record.labels] == [("quiet", 1.0)]
