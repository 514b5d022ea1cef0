"""The one mel spectrogram of all nets that make sound, and whether a file's mel is one: `features --preset vocoder`."""

import json
import zipfile
from dataclasses import asdict
from functools import cache
from typing import Any, BinaryIO

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
_ADVICE = f"make it with 'audiocli features -k {KIND} --preset {PRESET} -o FILE.npz'"
# What a log-mel depends on; the rest of a front end shapes other kinds.
_SHAPING = tuple(
    name
    for name in asdict(FRONT)
    if name not in ("n_mfcc", "mfcc_top_db", "lifter", "energy", "drop_last", "even_bins")
)


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
    found: Floats | None = analyse(padded, framing, bank=bank, log=log, exponent=FRONT.power).mel
    assert found is not None
    return found


def parameters() -> dict[str, Any]:
    """What the numbers depend on, by name, as it is stored beside a mel and with a net."""
    whole = {**asdict(FRONT), "fmax": FRONT.top}
    return {name: whole[name] for name in _SHAPING}


def read(file: str | BinaryIO) -> Floats:
    """The log-mel [frames, N_MELS] in an .npz of `audiocli features`. Raises InputError for one of another front end."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            values = np.ascontiguousarray(archive[KIND].T, np.float32)
            stored = json.loads(str(archive["parameters"]))
            _check(stored["options"], values)
    except OSError as error:
        raise InputError(error.strerror.lower() if error.strerror else "cannot be read") from error
    except (KeyError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"is not an .npz with {KIND} and its parameters: {_ADVICE}") from error
    return values


def _check(options: dict[str, Any], values: Floats) -> None:
    """Raises InputError."""
    for name, ours in parameters().items():
        if options.get(name) != ours:
            raise InputError(f"holds a mel with {name} {options.get(name)}, not {ours}: {_ADVICE}")
    if values.ndim != 2 or values.shape[1] != N_MELS or not np.isfinite(values).all():
        raise InputError(f"{KIND} is not {N_MELS} bands of finite numbers")
