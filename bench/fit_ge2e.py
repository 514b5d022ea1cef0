"""What scores of the published GE2E encoder mean: `python -m bench.fit_ge2e` writes audiocli/weights/ge2e from ../shared/data.

The cohort are 223 speakers of LibriSpeech, one embedding each; the calibration is fitted on the 20 speakers of
mini-librispeech that are not held out, in the same way as for the encoders that are trained here. The eight that bench/verify.py
tests on are in neither.
"""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from audiocli import audio
from audiocli.models.load import load
from audiocli.models.registry import MODELS
from audiocli.options import ModelOptions
from audiocli.training.recipes import speaker_trials
from audiocli.voices import ge2e
from audiocli.voices.embeddings import SpeakerEncoder
from audiocli.voices.voice import SHORTEST, speech
from bench.verify import HELD_OUT, RATE
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

EACH = 15  # utterances of a speaker, evenly out of all
SEED = 0


def clip(path: Path) -> Floats:
    """A recording at the encoder's rate."""
    return np.asarray(audio.read(path, sample_rate=RATE, mono=True).samples[0], np.float32)


def speakers() -> list[str]:
    """Those of mini-librispeech that are not held out."""
    names = [path.name for path in (DATA / "mini-librispeech").iterdir() if path.is_dir()]
    return sorted(names, key=int)[:-HELD_OUT]


def strangers() -> list[Floats]:
    """An utterance of each speaker of LibriSpeech who is not in mini-librispeech."""
    with (DATA / "librispeech-251" / "clips.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = {path.name for path in (DATA / "mini-librispeech").iterdir()}
    spoken = [speech(clip(DATA / "librispeech-251" / row["path"])) for row in rows if row["speaker"] not in known]
    return [one for one in spoken if len(one) >= SHORTEST * RATE]


def main() -> None:
    """Fit, and write the two files."""
    encoder = load("ge2e", "verify", SpeakerEncoder, ModelOptions(offline=True))
    cohort = encoder.embed(strangers()).astype(np.float16)
    encoder = replace(encoder, calibration={}, cohort=cohort.astype(np.float32))
    clips, names = list[Floats](), list[str]()
    for name in speakers():
        paths = sorted((DATA / "mini-librispeech" / name).glob("*.opus"))
        chosen = np.unique(np.linspace(0, len(paths) - 1, EACH).astype(int))
        clips += [clip(paths[n]) for n in chosen]
        names += [name] * len(chosen)
    sounds = [clip(path) for fold in "123" for path in sorted((DATA / "esc10").glob(f"*/{fold}-*.ogg"))]
    noises = [np.asarray(np.clip(one * 32_767.0, -32_768, 32_767), np.int16) for one in sounds]
    fitted = speaker_trials.fitted(encoder, clips, names, noises, SEED)
    (packed,) = MODELS["ge2e"].carriers[0].files
    ge2e.FITTED.mkdir(exist_ok=True)
    text = json.dumps({"sha256": packed.sha256, "calibration": fitted}, indent=2)
    (ge2e.FITTED / ge2e.CALIBRATION).write_text(text + "\n", encoding="utf-8")
    save_file({"embeddings": cohort}, ge2e.FITTED / ge2e.COHORT)
    print(f"{len(cohort)} strangers, {fitted['trials']} trials")


if __name__ == "__main__":
    main()
