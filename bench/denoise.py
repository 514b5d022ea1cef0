"""Denoising of speakers and noises that no net was trained on, every system on the same mixtures; its effect on a recogniser."""

import csv
import functools
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from audiocli import audio
from audiocli.models.load import load
from audiocli.options import DenoiseOptions, ModelOptions
from audiocli.verbs.denoise.loudness import dnsmos
from audiocli.verbs.denoise.work import Cleaning, Denoiser
from bench._common import Row, Score, seconds
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


def cleaner(model: str, strength: float | None = None) -> Callable[[Floats], Floats]:
    """One of our denoisers on sound [samples]; the output is aligned with the input."""
    runner = load(model, "denoise", Denoiser, ModelOptions(device="cpu"), DenoiseOptions())
    share = runner.wet if strength is None else strength

    def clean(noisy: Floats) -> Floats:
        cleaning = Cleaning(runner, RATE, 1, share)
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


def systems() -> dict[str, Callable[[Floats], Floats]]:
    own = {
        "noisy": lambda noisy: noisy,
        "rnnoise": cleaner("rnnoise", 1.0),
        "rnnoise + 10 % dry": cleaner("rnnoise"),
        "spectral": cleaner("spectral"),
        "conv-enhancer": cleaner("conv-enhancer"),
        "enhancer": cleaner("enhancer"),
    }
    return {**own, "GTCRN": gtcrn()}


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
    return [*quality_rows(), recognition_row(), *speed_rows()]


if __name__ == "__main__":
    for row in rows() if len(sys.argv) < 2 else globals()[sys.argv[1]]():
        print(row)
