"""Log-mel of ten minutes at 16 kHz (80 bands, n_fft 512, hop 160) against librosa, torchaudio, the bare FFTs and the NumPy twin."""

from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import scipy.fft
import torch
import torchaudio
from audiocli.kernels import mel, spectral
from audiocli.kernels.framing import pad_ends
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
FRAMES = 64  # in one block of the bare FFTs, as in ours


def ours(samples: Floats, threads: int = THREADS) -> Floats:
    """Our log-mel, [frames, bands]."""
    padded = pad_ends(samples, N_FFT, "constant")
    values = spectral.analyse(padded, FRAMING, bank=BANK, log=DECIBELS, threads=threads).mel
    assert values is not None
    return np.asarray(values)


def by_librosa(samples: Floats) -> Floats:
    """The peer, [bands, frames]."""
    power = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    return np.asarray(librosa.power_to_db(power, top_db=None))


def by_numpy(samples: Floats) -> NDArray[np.float64]:
    """[frames, bands], whole arrays in float64."""
    cut = naive_spectral.frames(samples, N_FFT, HOP_LENGTH, "constant")
    power = naive_spectral.power(cut, FRAMING.window, N_FFT)
    return np.asarray(naive_spectral.log(power @ DENSE.T, DECIBELS.factor, DECIBELS.floor))


def bare_ffts(pool: ThreadPoolExecutor, frames: int) -> None:
    """As many FFTs as the samples have frames, of one block that stays in the cache, on as many threads."""
    block = np.full((FRAMES, N_FFT), 0.1, np.float32)

    def work(_: int) -> None:
        for _ in range(frames // FRAMES // THREADS):
            scipy.fft.rfft(block, axis=1)

    list(pool.map(work, range(THREADS)))


def rows() -> list[Row]:
    samples = np.random.default_rng(0).standard_normal(SECONDS * SAMPLE_RATE).astype(np.float32) * np.float32(0.1)
    tensor = torch.from_numpy(samples)
    torch.set_num_threads(THREADS)
    transform = torchaudio.transforms.MelSpectrogram(SAMPLE_RATE, N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS)
    decibels = torchaudio.transforms.AmplitudeToDB()
    error = np.abs(ours(samples).T - by_librosa(samples)).max()
    with ThreadPoolExecutor(THREADS) as pool:
        mine, one, librosas, torchaudios, ffts = side_by_side(
            lambda: ours(samples),
            lambda: ours(samples, 1),
            lambda: by_librosa(samples),
            lambda: decibels(transform(tensor)),
            lambda: bare_ffts(pool, len(samples) // HOP_LENGTH),
        )
    minute = samples[: 60 * SAMPLE_RATE]
    short, twin = side_by_side(lambda: ours(minute, 1), lambda: by_numpy(minute), repeats=3)
    what = f"log-mel, {SECONDS} s, 2 threads each"
    return [
        Row(what, mine, "librosa", librosas, ">= 3.5x", librosas / mine >= 3.5, f"largest difference {error:.1e} dB"),
        Row(what, mine, "torchaudio", torchaudios, ">= 6x", torchaudios / mine >= 6.0),
        Row(what, mine, "bare FFTs", ffts, ">= 0.5x", ffts / mine >= 0.5, "at most twice the FFTs alone"),
        Row(
            f"log-mel, {SECONDS} s, 1 thread", one, "librosa", librosas, "-", True, "librosa's FFTs use one thread, too"
        ),
        Row(
            "log-mel, 60 s, 1 thread", short, "NumPy twin", twin, ">= 1x", twin / short >= 1.0, "float64, whole arrays"
        ),
    ]
