"""Log-mel of ten minutes at 16 kHz against librosa, torchaudio, asrfront (C), the bare FFTs and the NumPy twin.

80 bands, n_fft 512, hop 160; Kaldi's and Whisper's features as asrfront gives them. One thread each where nothing else is said.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import librosa
import numpy as np
import scipy.fft
import torch
import torchaudio
from audiocli.kernels import mel, spectral
from numpy.typing import NDArray

from bench._common import Row, side_by_side
from tests.kernels import naive_spectral

Floats = NDArray[np.float32]

SAMPLE_RATE, N_FFT, HOP_LENGTH, N_MELS = 16_000, 512, 160, 80
SECONDS, THREADS = 600, 2
DECIBELS = spectral.Log(spectral.DECIBEL, 1e-10)
FRAMING = spectral.Framing(N_FFT, HOP_LENGTH, mel.window("hann", N_FFT))
DENSE = mel.filterbank(SAMPLE_RATE, N_FFT, N_MELS, 0.0, SAMPLE_RATE / 2, norm="slaney")
BANK = mel.sparse(DENSE)
FRAMES = 64  # in one block of the bare FFTs, which so stays in the cache
SPEECH = spectral.Framing(512, HOP_LENGTH, mel.window("hamming", 400, periodic=False), (32_768.0, 0.97))
SPEECH_BANK = mel.sparse(mel.filterbank(SAMPLE_RATE, 512, N_MELS, 20.0, SAMPLE_RATE / 2, scale="kaldi"))
LN = spectral.Log(1.0, float(np.finfo(np.float32).eps))
WHISPER = spectral.Framing(400, HOP_LENGTH, mel.window("hann", 400))
WHISPER_BANKS = {
    n: mel.sparse(mel.filterbank(SAMPLE_RATE, 400, n, 0.0, SAMPLE_RATE / 2, norm="slaney")) for n in (80, 128)
}
QUARTER = spectral.Log(0.25 / float(np.log(10.0)), 1e-10)  # Whisper's (log10 + 4) / 4, but for the shift
ROWS = 2_048  # of a result that stay in the cache


def ours(samples: Floats, threads: int = 1) -> Floats:
    """Our log-mel, [frames, bands]."""
    return _mel(spectral.analyse(samples, FRAMING, bank=BANK, log=DECIBELS, threads=threads, padding="constant"))


def kaldi(samples: Floats) -> Floats:
    """Kaldi's, [frames, bands]."""
    return _mel(spectral.analyse(samples, SPEECH, bank=SPEECH_BANK, log=LN))


def whisper(samples: Floats, n_mels: int) -> Floats:
    """Whisper's, [frames, bands]: at most 8 below the loudest band, (log10 + 4) / 4; the last frame is left out."""
    values = _mel(spectral.analyse(samples, WHISPER, bank=WHISPER_BANKS[n_mels], log=QUARTER, padding="reflect"))[:-1]
    lowest = values.max() - np.float32(2.0)
    for first in range(0, len(values), ROWS):
        part = values[first : first + ROWS]
        np.add(np.maximum(part, lowest, out=part), np.float32(1.0), out=part)
    return values


def _mel(spectra: spectral.Spectra) -> Floats:
    assert spectra.mel is not None
    return np.asarray(spectra.mel)


def by_librosa(samples: Floats) -> Floats:
    """The peer, [bands, frames]."""
    power = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    return np.asarray(librosa.power_to_db(power, top_db=None))


def by_numpy(samples: Floats) -> NDArray[np.float64]:
    """[frames, bands], whole arrays in float64."""
    cut = naive_spectral.frames(samples, N_FFT, HOP_LENGTH, "constant")
    power = naive_spectral.power(cut, FRAMING.window, N_FFT)
    return np.asarray(naive_spectral.log(power @ DENSE.T, DECIBELS.factor, DECIBELS.floor))


def bare_ffts(frames: int) -> None:
    """As many FFTs as the samples have frames, of one block."""
    block = np.full((FRAMES, N_FFT), 0.1, np.float32)
    for _ in range(frames // FRAMES):
        scipy.fft.rfft(block, axis=1)


def row(what: str, mine: float, peer_name: str, peer: float, least: float, note: str = "") -> Row:
    return Row(what, mine, peer_name, peer, f">= {least:g}x", peer / mine >= least, note)


def by_torchaudio(samples: Floats) -> Callable[[], object]:
    tensor = torch.from_numpy(samples)
    transform = torchaudio.transforms.MelSpectrogram(SAMPLE_RATE, N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    decibels = torchaudio.transforms.AmplitudeToDB()
    return lambda: decibels(transform(tensor))


def log_mel_rows(samples: Floats) -> Iterator[Row]:
    error = np.abs(ours(samples).T - by_librosa(samples)).max()
    torch.set_num_threads(1)
    mine, librosas, torchaudios, ffts = side_by_side(
        lambda: ours(samples),
        lambda: by_librosa(samples),
        by_torchaudio(samples),
        lambda: bare_ffts(len(samples) // HOP_LENGTH),
    )
    what = f"log-mel, {SECONDS} s, 1 thread"
    yield row(what, mine, "librosa", librosas, 6.0, f"largest difference {error:.1e} dB")
    yield row(what, mine, "torchaudio", torchaudios, 10.0)
    yield row(what, mine, "scipy's bare FFTs", ffts, 1.3)


def thread_rows(samples: Floats) -> Iterator[Row]:
    """Two threads against one, and against torchaudio with as many."""
    torch.set_num_threads(THREADS)
    two, one, torchaudios = side_by_side(lambda: ours(samples, THREADS), lambda: ours(samples), by_torchaudio(samples))
    what = f"log-mel, {SECONDS} s, {THREADS} threads"
    yield row(what, two, "the same on 1 thread", one, 1.7, "cores shared with others give less")
    yield row(what, two, "torchaudio", torchaudios, 6.0)
    second = samples[:SAMPLE_RATE]
    two, one = side_by_side(lambda: ours(second, THREADS), lambda: ours(second), repeats=101)
    yield row(f"log-mel, 1 s, {THREADS} threads", two, "the same on 1 thread", one, 0.9, "too short to be shared")


def asrfront_rows(samples: Floats) -> Iterator[Row]:
    """Kaldi's and Whisper's features against a small C library."""
    import asrfront

    right = asrfront.sensevoice.fbank_raw(samples)
    note = f"largest difference {np.abs(kaldi(samples) - right).max():.1e}"
    mine, peer = side_by_side(lambda: kaldi(samples), lambda: asrfront.sensevoice.fbank_raw(samples), repeats=15)
    yield row(f"Kaldi's log-mel, {SECONDS} s, 1 thread", mine, "asrfront", peer, 1.4, note)
    for n_mels in WHISPER_BANKS:
        peers = asrfront.whisper.log_mel(samples, n_mels, pad_or_trim=False)
        note = f"largest difference {np.abs(whisper(samples, n_mels).T - peers).max():.1e}"
        mine, peer = side_by_side(
            lambda n=n_mels: whisper(samples, n),  # type: ignore[misc]  # mypy does not see the default's type
            lambda n=n_mels: asrfront.whisper.log_mel(samples, n, pad_or_trim=False),  # type: ignore[misc]  # the same
            repeats=15,
        )
        yield row(f"Whisper's log-mel, {n_mels} bands, {SECONDS} s, 1 thread", mine, "asrfront", peer, 1.2, note)


def twin_row(samples: Floats) -> Row:
    mine, twin = side_by_side(lambda: ours(samples), lambda: by_numpy(samples), repeats=3)
    return row("log-mel, 60 s, 1 thread", mine, "NumPy twin", twin, 1.0, "float64, whole arrays")


def rows() -> Iterator[Row]:
    """All rows."""
    before = torch.get_num_threads()
    samples = np.random.default_rng(0).standard_normal(SECONDS * SAMPLE_RATE).astype(np.float32) * np.float32(0.1)
    try:
        yield from log_mel_rows(samples)
        with suppress(ModuleNotFoundError):  # asrfront is in the group `bench`
            yield from asrfront_rows(samples)
        yield from thread_rows(samples)
        yield twin_row(samples[: 60 * SAMPLE_RATE])
    finally:
        torch.set_num_threads(before)
