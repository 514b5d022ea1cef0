"""Trials of speakers who are held out, at all lengths and in all noise, to fit the calibration of an encoder by."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...voices import calibration
from ...voices.calibration import Pairs
from ...voices.embeddings import SpeakerEncoder
from ...voices.voice import Encoder, Voice, hear
from ..mixtures.distortions import SAMPLE_RATE, Floats, mixed, noise
from ..mixtures.speaker_batches import Samples, piece

VOICES = 600  # recordings that are made
TRIALS = 60_000  # of each kind
SECONDS = (0.8, 20.0)  # lengths, their logarithms spread evenly
QUIET = 0.35  # of the recordings get no noise
SNR = (-3.0, 25.0)  # dB
STEADY = 0.4  # of the noise is steady, the rest is of the world
LEAST = 100  # trials of each kind
STRANGERS = 20  # make a cohort at least


@dataclass(frozen=True)
class Recorded:
    """A voice, whose it is, and which utterance it was made of."""

    voice: Voice
    speaker: int
    utterance: int


@dataclass(frozen=True)
class Trials:
    """Trials of one corpus: what is known of them, and whether each is of one speaker."""

    known: Pairs
    same: NDArray[np.bool_]


def fitted(
    encoder: SpeakerEncoder,
    clips: Sequence[Floats],
    speakers: Sequence[str],
    sounds: Sequence[Samples],
    seed: int,
    *,
    corpora: Sequence[str] = (),
) -> dict[str, Any]:
    """The calibration of an encoder, with its cohort, for config.json; {} when there are not enough speakers.

    corpora: of the clips: trials are of one corpus. Without corpora all is one.
    """
    known = np.array(corpora) if len(corpora) else np.full(len(clips), "")
    found = list[Trials]()
    for corpus in np.unique(known):
        some = np.flatnonzero(known == corpus).tolist()
        made = of_corpus(encoder, [clips[n] for n in some], [speakers[n] for n in some], sounds, seed)
        if made is not None:
            found.append(trials(*made, encoder.cohort))
    return fitted_to(found)


def fitted_to(found: Sequence[Trials]) -> dict[str, Any]:
    """The calibration by trials of corpora; {} by none."""
    if not found:
        return {}
    known, same = calibration.together([one.known for one in found]), np.concatenate([one.same for one in found])
    return calibration.fit(known, same).as_dict()


def trials(voices: Sequence[Recorded], chosen: NDArray[np.int64], cohort: Floats | None) -> Trials:
    """The trials of numbers [n, 2] of voices, by a cohort."""
    first, second = ([voices[n].voice for n in side] for side in chosen.T)
    same = np.array([voices[a].speaker == voices[b].speaker for a, b in chosen])
    return Trials(calibration.between(first, second, cohort), same)


def of_corpus(
    encoder: SpeakerEncoder, clips: Sequence[Floats], speakers: Sequence[str], sounds: Sequence[Samples], seed: int
) -> tuple[list[Recorded], NDArray[np.int64]] | None:
    """Voices of a corpus, and the numbers [n, 2] of those that are compared; None when there are too few."""
    numbers = np.unique(np.array(speakers), return_inverse=True)[1]
    if len(set(numbers.tolist())) < 3 or np.bincount(numbers).max(initial=0) < 2:
        return None
    random = np.random.default_rng(seed)
    voices = recorded(encoder, clips, numbers, sounds, random)
    own, others = pairs(voices, True, random), pairs(voices, False, random)
    return (voices, np.concatenate([own, others])) if min(len(own), len(others)) >= LEAST else None


def recorded(
    encoder: Encoder,
    clips: Sequence[Floats],
    numbers: NDArray[np.int64],
    sounds: Sequence[Samples],
    random: np.random.Generator,
) -> list[Recorded]:
    """Pieces of clips in noise, as the encoder hears them; speakers take turns, pieces that are too short are left out."""
    of = defaultdict(list)
    for n, number in enumerate(numbers.tolist()):
        of[number].append(n)
    voices = []
    for turn in range(VOICES):
        speaker = turn % len(of)
        utterance = of[speaker][random.integers(len(of[speaker]))]
        voice = hear(encoder, on_the_way(clips[utterance], sounds, random))
        if voice.embedding is not None:
            voices.append(Recorded(voice, speaker, utterance))
    return voices


def on_the_way(clip: Floats, sounds: Sequence[Samples], random: np.random.Generator) -> Floats:
    """A piece of a clip, perhaps in noise."""
    length = int(np.exp(random.uniform(*np.log(SECONDS))) * SAMPLE_RATE)
    begin = int(random.integers(max(len(clip) - length, 0) + 1))
    samples = clip[begin : begin + length]
    if random.random() < QUIET:
        return samples
    steady = not sounds or random.random() < STEADY
    other = (
        noise(random, len(samples))
        if steady
        else piece(sounds[int(random.integers(len(sounds)))], len(samples), random)
    )
    return mixed(samples, other, random.uniform(*SNR))


def pairs(voices: Sequence[Recorded], same: bool, random: np.random.Generator) -> NDArray[np.int64]:
    """Numbers [n, 2] of voices of one speaker, never of one utterance, or of two; every pair of speakers counts alike."""
    by_pair = defaultdict(list)
    for a, first in enumerate(voices):
        for b in range(a + 1, len(voices)):
            second = voices[b]
            if (first.speaker == second.speaker) == same and first.utterance != second.utterance:
                by_pair[tuple(sorted((first.speaker, second.speaker)))].append((a, b))
    each = -(-TRIALS // max(len(by_pair), 1))
    chosen = [some for _, some in sorted(by_pair.items())]
    taken = [np.array(some)[random.permutation(len(some))[:each]] for some in chosen]
    return np.concatenate(taken) if taken else np.zeros((0, 2), np.int64)
