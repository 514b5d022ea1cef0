"""A teacher of the speaker encoder: another encoder hears the voices as they are, the student learns to hear the same in bad sound.

What a teacher hears is cut down to the directions in which people differ more than one person does (linear discriminants: Fisher
1936), each weighed by how much more. The student gets that as a place on its own sphere, turned to where it is already.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...console import Console
from ...errors import UsageError
from ...models.load import load
from ...options import ModelOptions
from ...voices.embeddings import SpeakerEncoder, normalised
from ..mixtures.distortions import SAMPLE_RATE, Floats, filtered
from ..mixtures.speaker_batches import Samples, Voices, part

PIECE = 4 * SAMPLE_RATE  # samples that the teacher hears at once
MOST = 8  # pieces of a class; of more speech, the first ones
TOGETHER = 64  # pieces in one call
LEAST = 1e-3  # of the mean variance within a class: no direction counts as more certain


@dataclass(frozen=True)
class Lessons:
    """Where voices belong: of each class [classes, embedding], and of its pieces in their order, rows of length 1.

    first: the number of the first piece of each class [classes + 1]; spans: samples of a class's recording that make a piece.
    """

    classes: Floats
    pieces: Floats
    first: NDArray[np.int64]
    spans: NDArray[np.int64]

    def of(self, classes: NDArray[np.int64], middle: NDArray[np.int64]) -> Floats:
        """Where crops of classes [batch] belong [batch, embedding]: between the piece that each lies in and all of the voice.

        middle: samples of the recordings at the crops' middle [batch]; behind the last piece there is the voice alone.
        """
        numbers = self.first[classes] + middle // self.spans[classes]
        inside = (numbers < self.first[classes + 1])[:, None]
        heard = self.pieces[np.minimum(numbers, len(self.pieces) - 1)]
        return normalised(self.classes[classes] + np.where(inside, heard, np.float32(0.0)))


def heard(voices: Voices, teacher: str, keep: str, console: Console) -> tuple[Floats, NDArray[np.int64]]:
    """What a teacher (a model of verify) hears in the pieces of each class [pieces, embedding]; the number of pieces [classes].

    keep: a file that it is read from, and else written to; "" for none. Raises ModelError, UsageError, DeviceError.
    """
    classes = pieces_of(voices)
    counts = np.array([len(one) for one in classes])
    if keep and Path(keep).is_file():
        return _kept(keep, counts), counts
    encoder = load(teacher, "verify", SpeakerEncoder, ModelOptions())
    clips = [clip for one in classes for clip in one]
    rows = []
    with console.bar(len(clips), "listening with the teacher") as bar:
        for first in range(0, len(clips), TOGETHER):
            some = clips[first : first + TOGETHER]
            rows.append(encoder.embed([clip() for clip in some]))
            bar.step(len(some))
    found = np.concatenate(rows)
    if keep:
        np.savez(keep, pieces=found, counts=counts)
    return found, counts


def _kept(path: str, counts: NDArray[np.int64]) -> Floats:
    """What a teacher has heard before [pieces, embedding]. Raises UsageError when it was something else."""
    try:
        with np.load(path) as kept:
            if np.array_equal(kept["counts"], counts):
                return np.asarray(kept["pieces"], np.float32)
    except (OSError, ValueError, KeyError, BadZipFile):
        pass
    raise UsageError(f"--set taught={path}: is not of these voices; remove it, or give another name")


def pieces_of(voices: Voices) -> list[list[Callable[[], Floats]]]:
    """Makers of the pieces [PIECE] of each class: a speaker at a speed."""
    recordings = [
        (one, span)
        for one, seconds in zip(voices.samples, voices.seconds.tolist(), strict=True)
        for span in spans(voices, seconds)
    ]
    return [
        [partial(_piece, one, n * span, span) for n in range(min(max(len(one) // span, 1), MOST))]
        for one, span in recordings
    ]


def spans(voices: Voices, seconds: float) -> list[int]:
    """Samples that make a piece at each speed of a speaker with so much speech."""
    return [round(PIECE * speed) for speed in voices.speeds_of(seconds)]


def _piece(samples: Samples, begin: int, span: int) -> Floats:
    return filtered(part(samples, begin, span), np.ones(PIECE // 2 + 1, np.complex64), PIECE)


def lessons(voices: Voices, pieces: Floats, counts: NDArray[np.int64], student: Floats) -> Lessons:
    """The lessons of pieces [pieces, embedding] of the classes of voices, of which there are counts [classes].

    student: what the student takes the classes for [classes, its embedding], whose sphere they are turned to.
    """
    of = np.repeat(np.arange(len(counts)), counts)
    mapped = normalised((pieces - pieces.mean(0)) @ discriminants(pieces, of, student.shape[1]))
    sums = np.zeros((len(counts), student.shape[1]), np.float32)
    np.add.at(sums, of, mapped)
    # The rotation that brings them nearest to each other (Schonemann 1966).
    left, _, right = np.linalg.svd(normalised(sums).T @ student)
    turned = np.asarray(left @ right, np.float32)
    every = np.array([span for seconds in voices.seconds.tolist() for span in spans(voices, seconds)])
    first = np.concatenate([[0], np.cumsum(counts)])
    return Lessons(normalised(sums @ turned), normalised(mapped @ turned), first, every)


def discriminants(pieces: Floats, of: NDArray[np.int64], size: int) -> Floats:
    """A map [embedding, size] to the directions in which the means of classes differ most beside their pieces."""
    counts = np.bincount(of).astype(np.float64)
    means = np.zeros((len(counts), pieces.shape[1]))
    np.add.at(means, of, pieces)
    means /= counts[:, None]
    rest = (pieces - means[of])[counts[of] > 1]
    within = rest.T @ rest / max(len(rest), 1)
    within += LEAST * (np.trace(within) / len(within) + 1e-6) * np.eye(len(within))
    sizes, axes = np.linalg.eigh(within)
    white = axes / np.sqrt(sizes)
    sizes, axes = np.linalg.eigh(np.cov((means @ white).T))
    best = np.argsort(-sizes)[:size]
    between = np.maximum(sizes[best], 0.0)
    found = white @ axes[:, best] * np.sqrt(between / (1.0 + between))
    return np.asarray(np.pad(found, ((0, 0), (0, size - len(best)))), np.float32)
