"""Recordings of the voice to imitate: checks of their quality, and the voice in them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import audio
from ...errors import InputError, UsageError
from ...options import VerifyOptions
from ...voices import alone, timbre, voice
from ...voices import files as voices
from ...voices.embeddings import SpeakerEncoder
from ...voices.files import Target
from ..verify.judge import judge_of

Floats = NDArray[np.float32]

SHORTEST = 3.0  # s of speech; with less, a voice is a guess

READ = 1_200.0  # s of a recording: more speech only helps models that take frames out of it
LEVEL = -26.0  # dBFS of every reference, so that a loud one counts for no more
SILENT = 1e-4  # peak, -80 dBFS
CLIPPED, CLIP_SHARE = 0.999, 0.001  # of full scale; share of the samples
SPEECH_SHARE = 0.15  # of a recording; less is music or noise with a word in it


def target(paths: Sequence[str], encoder: SpeakerEncoder, channel: str = "mix") -> tuple[Target, list[str]]:
    """The voice in some recordings of one person, and warnings about them. Raises InputError."""
    parts, warnings, spoken, most = [], list[str](), [], int(alone.LONGEST * timbre.SAMPLE_RATE)
    for path in paths:
        samples, notes = _speech(path, channel)
        warnings += notes
        if alone.several(samples[:most], encoder):
            raise InputError(f"{path}: {alone.SEVERAL}; give a recording of one")
        spoken.append(samples)
        parts.append(voice.Voice(encoder.embed([samples[:most]])[0], len(samples[:most]) / timbre.SAMPLE_RATE, 0.0))
    of_all, speech = voice.mean(parts), np.concatenate(spoken)
    if apart := alone.furthest(parts, judge_of(encoder, None, {}, VerifyOptions.far, None).judge):
        warnings.append(f"{paths[apart[0]]} and {paths[apart[1]]} {alone.APART}")
    assert of_all.embedding is not None
    found_timbre = timbre.timbre(speech[:most])
    if found_timbre is None:
        raise InputError(f"{paths[0]}: no voice with a pitch is heard in it")
    return Target(", ".join(Path(path).name for path in paths), of_all.embedding, found_timbre, speech), warnings


def _speech(path: str, channel: str) -> tuple[Floats, list[str]]:
    """The speech of a recording at one level, without its pauses; and warnings. Raises InputError with the path."""
    notes = list[str]()
    try:
        samples = audio.read(
            path, sample_rate=timbre.SAMPLE_RATE, mono=True, channel=channel, duration=READ, warn=notes.append
        ).samples[0]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < SILENT:
        raise InputError(f"{path}: is silent")
    notes = [f"{path}: {note}" for note in notes]
    if float(np.mean(np.abs(samples) >= CLIPPED)) > CLIP_SHARE:
        notes.append(f"{path}: is clipped, so the voice will sound harsh: record it at a lower level")
    spoken = voice.speech(samples)
    seconds = len(spoken) / timbre.SAMPLE_RATE
    if not seconds or seconds < SPEECH_SHARE * len(samples) / timbre.SAMPLE_RATE:
        raise InputError(f"{path}: {'no' if not seconds else 'hardly any'} speech is heard in it ({seconds:.1f} s)")
    if seconds < SHORTEST:
        raise InputError(f"{path}: {seconds:.1f} s of speech are too short, give {SHORTEST:g} s or more")
    return levelled(spoken), notes


def levelled(samples: Floats) -> Floats:
    """Samples at LEVEL."""
    power = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return np.asarray(samples * np.float32(10 ** (LEVEL / 20) / max(power, 1e-9)), np.float32)


def saved(path: str, encoder: SpeakerEncoder) -> Target:
    """The voice in a file that --save-voice wrote. Raises UsageError."""
    arrays, about = voices.read(Path(path))
    voice_timbre = timbre.of_arrays(arrays)
    if voice_timbre is None or not {"embedding", "speech"} <= arrays.keys():
        raise UsageError(f"--voice {path} was not written by audiocli clone --save-voice")
    if about.get("encoder") != encoder.spec.name:
        raise UsageError(f"--voice {path} is of another speaker encoder: save it again from its recordings")
    vectors = {name: array for name, array in arrays.items() if name == "xvector"}
    return Target(Path(path).stem, arrays["embedding"], voice_timbre, arrays["speech"], vectors)
