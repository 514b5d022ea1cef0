"""The one mel spectrogram of all nets that make sound, and whether a file's mel is one: `features --preset vocoder`."""

import json
import zipfile
from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..kernels import mel
from ..kernels.framing import pad_ends
from ..kernels.mel import SparseBank
from ..kernels.spectral import Framing, Log, analyse
from ..options import FRONT_ENDS

Floats = NDArray[np.float32]
PRESET = "vocoder"
FRONT = FRONT_ENDS[PRESET]
SAMPLE_RATE, HOP, N_MELS = FRONT.sample_rate, FRONT.hop_length, FRONT.n_mels
KIND = "log-mel"
# What a log-mel depends on; the rest of a front end shapes other kinds.
_SHAPING = tuple(name for name in asdict(FRONT) if not name.endswith(("mfcc", "mfcc_top_db", "lifter", "energy")))


@cache
def _tables() -> tuple[Framing, SparseBank, Log]:
    window = mel.window(FRONT.window, FRONT.win_length, periodic=FRONT.periodic)
    bank = mel.filterbank(
        SAMPLE_RATE, FRONT.n_fft, N_MELS, FRONT.fmin, FRONT.top, scale=FRONT.mel_scale, norm=FRONT.norm
    )
    return Framing(FRONT.n_fft, HOP, window), mel.sparse(bank), Log(1.0, FRONT.floor)


def log_mel(samples: Floats) -> Floats:
    """Natural log-mel magnitudes [1 + n // HOP, N_MELS] of samples [n] at SAMPLE_RATE Hz; frame f is centred on f * HOP."""
    framing, bank, log = _tables()
    padded = pad_ends(np.ascontiguousarray(samples, np.float32), framing.frame_length, FRONT.padding)
    found = analyse(padded, framing, bank=bank, log=log, exponent=FRONT.power).mel
    assert found is not None
    return found


def read(path: str) -> Floats:
    """The log-mel [frames, N_MELS] in an .npz of `audiocli features`. Raises InputError for another front end's."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = np.asarray(archive[KIND], np.float32).T
            parameters = json.loads(str(archive["parameters"]))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'is not a .npz'}") from error
    except (KeyError, ValueError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: is not an .npz with {KIND} and its parameters: {_advice()}") from error
    _check(path, parameters.get("options") if isinstance(parameters, dict) else None, values)
    return values


def _check(path: str, options: Any, values: Floats) -> None:
    """Raises InputError."""
    ours = {**asdict(FRONT), "fmax": FRONT.top}
    theirs = options if isinstance(options, dict) else {}
    for name in _SHAPING:
        if theirs.get(name) != ours[name]:
            raise InputError(f"{path}: is a mel with {name} {theirs.get(name)}, not {ours[name]}: {_advice()}")
    if values.ndim != 2 or values.shape[1] != N_MELS or not np.isfinite(values).all():
        raise InputError(f"{path}: {KIND} is not {N_MELS} bands of numbers")


def _advice() -> str:
    return f"make it with 'audiocli features --kind {KIND} --preset {PRESET} -o FILE.npz'"
