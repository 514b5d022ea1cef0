"""Clusters of voices that are known: numbers of speakers, bounds, small clusters, paths against the obvious search."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiocli.models.registry import MODELS
from audiocli.verbs.diarize import clustering
from audiocli.voices import calibration, clusters
from audiocli.voices.calibration import Pairs
from audiocli.voices.clusters import Bounds, Window, diarize
from audiocli.voices.embeddings import SpeakerEncoder
from audiocli.voices.voice import Voice


def conversation(pattern, seconds=6.0, spread=0.35, seed=0):
    """A region a letter of the pattern with windows of 1.6 s each 0.4 s; a voice a letter, with noise of so large a spread."""
    random = np.random.default_rng(seed)
    voices = {letter: random.standard_normal(64) / 8 for letter in sorted(set(pattern))}
    windows, heard = [], []
    for region, letter in enumerate(pattern):
        for n in range(int((seconds - 1.6) / 0.4) + 1):
            start = region * (seconds + 1) + 0.4 * n
            windows.append(Window(region, start, start + 1.6))
            heard.append(voices[letter] + spread * random.standard_normal(64) / 8)
    found = np.array(heard, np.float32)
    return windows, found / np.linalg.norm(found, axis=1, keepdims=True)


def as_letters(turns):
    """The speaker of each turn, numbered in the order of being heard."""
    names = {}
    return "".join(names.setdefault(turn.speaker, chr(ord("A") + len(names))) for turn in turns)


@pytest.mark.parametrize("pattern", ["A", "AB", "ABAB", "ABCABC", "ABACADBCDE"])
def test_as_many_speakers_as_there_are(pattern):
    turns = diarize(*conversation(pattern), Bounds())
    assert as_letters(turns) == pattern
    assert [turn.start for turn in turns] == pytest.approx([7.0 * n for n in range(len(pattern))])
    assert all(a.end <= b.start for a, b in pairwise(turns))


@pytest.mark.parametrize("most", [1, 2])
def test_at_most_so_many(most):
    turns = diarize(*conversation("ABCABC"), Bounds(1, most))
    assert len({turn.speaker for turn in turns}) == most


@pytest.mark.parametrize(("bounds", "want"), [(Bounds(), "AAAA"), (Bounds(2), "ABAB"), (Bounds(2, 2), "ABAB")])
def test_voices_that_are_alike_are_distinguished_when_the_user_knows_better(bounds, want):
    windows, voices = conversation("ABAB", spread=0.1)
    alike = voices + 1.5 * np.eye(1, 64, dtype=np.float32)
    turns = diarize(windows, alike / np.linalg.norm(alike, axis=1, keepdims=True), bounds)
    assert as_letters(turns) == want


def test_more_speakers_than_speech_can_tell_apart():
    windows, voices = conversation("A", seconds=1.6)
    assert len(windows) == 1
    (turn,) = diarize(windows, voices, Bounds(3, 3))
    assert (turn.start, turn.end) == (windows[0].start, pytest.approx(windows[0].end))


def test_nothing_and_one_window():
    assert diarize([], np.zeros((0, 1), np.float32), Bounds()) == []
    (turn,) = diarize([Window(0, 3.0, 3.3)], np.ones((1, 4), np.float32) / 2, Bounds())
    assert (turn.start, turn.end) == (3.0, pytest.approx(3.3))


def test_a_cough_is_no_speaker():
    windows, voices = conversation("ABAB")
    end = windows[-1].end
    odd = np.random.default_rng(5).standard_normal((1, 64)).astype(np.float32)
    windows.append(Window(9, end + 1, end + 2))
    turns = diarize(windows, np.concatenate([voices, odd / np.linalg.norm(odd)]), Bounds())
    assert as_letters(turns)[:4] == "ABAB"
    assert len({turn.speaker for turn in turns}) == 2


def test_in_a_long_input_it_takes_more_to_be_a_speaker():
    """Six seconds of a third voice are one among a minute, and nobody among ten."""
    for rounds, want in ((5, 3), (50, 2)):
        turns = diarize(*conversation("AB" * rounds + "C"), Bounds())
        assert len({turn.speaker for turn in turns}) == want


def test_a_change_within_speech_is_found():
    """Two speakers without a pause: the turn ends where the voice changes, to half a second."""
    windows, voices = conversation("ABABAB")
    first = [n for n, window in enumerate(windows) if window.region < 2]
    joined = [Window(0, 0.4 * n, 0.4 * n + 1.6) if n in first else w for n, w in enumerate(windows)]
    turns = diarize(joined, voices, Bounds())
    assert as_letters(turns) == "ABABAB"
    middle = joined[len(first) // 2].start + 0.6
    assert turns[0].end == turns[1].start == pytest.approx(middle, abs=0.5)


def test_long_inputs_are_clustered_by_a_part_of_them(monkeypatch):
    found = conversation("ABCABCABCA")
    whole = diarize(*found, Bounds())
    monkeypatch.setattr(clusters, "MOST", 40)
    assert as_letters(diarize(*found, Bounds())) == as_letters(whole) == "ABCABCABCA"


@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 10_000))
def test_the_path_is_the_best_one(length, count, seed):
    random = np.random.default_rng(seed)
    scores, cost = random.random((length, count)).astype(np.float32), random.random(length)

    def worth(path):
        return sum(scores[n, s] for n, s in enumerate(path)) - sum(
            cost[n] for n, (a, b) in enumerate(pairwise(path)) if a != b
        )

    best = max(worth(path) for path in product(range(count), repeat=length))
    assert worth(clusters._path(scores, cost)) == pytest.approx(best, abs=1e-6)


@given(st.lists(st.floats(0.3, 9.0), min_size=1, max_size=5), st.integers(0, 99))
def test_turns_cover_the_speech(lengths, seed):
    """Whatever the voices are: no speech is lost, none is made up, and no two turns overlap."""
    random, windows, at = np.random.default_rng(seed), [], 0.0
    for region, length in enumerate(lengths):
        starts = np.arange(0, max(length - 1.6, 0.0) + 1e-9, 0.4)
        windows += [Window(region, at + s, at + min(s + 1.6, length)) for s in starts.tolist()]
        at = windows[-1].end + 0.7
    voices = random.standard_normal((len(windows), 8)).astype(np.float32)
    turns = diarize(windows, voices / np.linalg.norm(voices, axis=1, keepdims=True), Bounds())
    speech = sum(
        max(w.end for w in windows if w.region == r) - min(w.start for w in windows if w.region == r)
        for r in range(len(lengths))
    )
    assert sum(turn.end - turn.start for turn in turns) == pytest.approx(speech)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(turns))


def two_voices_of_a_person():
    """A conversation of A, B and C; A and B have a cosine of 0.34, too little for one cluster, and none with C."""
    windows, _ = conversation("ABCABC")
    axes, noise = np.eye(64), np.random.default_rng(0).standard_normal((len(windows), 64)) / 80
    own = axes[0] + 1.4 * axes[1], axes[0] + 1.4 * axes[2], axes[3]
    heard = np.array([own[window.region % 3] / np.linalg.norm(own[window.region % 3]) for window in windows]) + noise
    return windows, (heard / np.linalg.norm(heard, axis=1, keepdims=True)).astype(np.float32)


def by_cosine(at):
    """Odds that are even where the cosine is `at`."""
    return lambda voices, seconds, first, second: 20.0 * (np.einsum("nd,nd->n", voices[first], voices[second]) - at)


@pytest.mark.parametrize(
    ("even", "bounds", "want"),
    [
        (0.2, Bounds(), "AABAAB"),
        (0.9, Bounds(), "ABCABC"),
        (-1.1, Bounds(), "AAAAAA"),
        (0.2, Bounds(3, 3), "ABCABC"),  # the user knows better
        (0.9, Bounds(1, 2), "AABAAB"),  # and of those that are not likely, the likeliest
    ],
)
def test_clusters_that_are_likely_one_person_are_joined(even, bounds, want):
    found = two_voices_of_a_person()
    assert as_letters(diarize(*found, Bounds())) == "ABCABC"
    assert as_letters(diarize(*found, bounds, by_cosine(even))) == want


def test_joining_tells_the_seconds_of_all_that_was_joined():
    windows, voices = two_voices_of_a_person()
    asked = []

    def odds(voices, seconds, first, second):
        asked.append(seconds.sum())
        np.testing.assert_allclose(np.linalg.norm(voices, axis=1), 1.0, rtol=1e-5)
        return by_cosine(0.2)(voices, seconds, first, second)

    diarize(windows, voices, Bounds(), odds)
    assert len(asked) == 2
    assert asked == pytest.approx([asked[0]] * 2)


def test_odds_are_those_of_the_calibration():
    """Of an encoder without one there are none."""
    random = np.random.default_rng(0)
    same = random.random(2_000) < 0.5
    sides = random.uniform(1.0, 20.0, (2, 2_000)), random.uniform(0.0, 30.0, (2, 2_000))
    fitted = calibration.fit(Pairs(0.6 * same + 0.1 * random.standard_normal(2_000), *map(tuple, sides)), same)
    encoder = SpeakerEncoder(MODELS["siamese-speakers"], 16_000, lambda clips: clips, fitted.as_dict())
    voices = np.eye(3, 4, dtype=np.float32)
    log_odds = clustering.odds(encoder)(voices, np.array([2.0, 9.0, 5.0]), np.array([0, 1]), np.array([1, 2]))
    people = [Voice(voice, seconds, clustering.SNR) for voice, seconds in zip(voices, (2.0, 9.0, 5.0), strict=True)]
    np.testing.assert_allclose(log_odds, fitted.log_odds(calibration.between(people[:2], people[1:])))
    assert clustering.odds(SpeakerEncoder(MODELS["siamese-speakers"], 16_000, lambda clips: clips)) is None
