"""Nets that make sound: the speed of the vocoders on a core, and the words that are heard wrong of what they copy.

The samplers are measured with random weights of the sizes that are trained, beside the loops that torch alone offers: a forward
pass over all that a sample depends on, or, where the net keeps a state, a step of it. Copy synthesis is of 40 utterances of one
voice that nothing was trained on, from their mel alone, by whisper-tiny.en and DNSMOS; it takes the vocoders among the weights
here and in the folders of the variable BENCH_VOCODERS (separated by colons).
"""

import functools
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import jiwer
import numpy as np
import torch
from audiocli.kernels import wavenet, wavernn
from numpy.typing import NDArray

from audiocli.audio import mels
from audiocli.device import Place
from audiocli.models.spec import WEIGHTS
from audiocli.nets.conditioner import MARGIN
from audiocli.nets.waveglow import GROUP, WaveGlow
from audiocli.nets.wavenet import CODES, WaveNet
from audiocli.nets.wavernn import BYTE, WaveRNN
from audiocli.training.data import decode, split
from audiocli.training.examples import Example, examples
from audiocli.verbs.speak import vocoders
from audiocli.verbs.speak.mel import nets
from bench._common import Score
from bench.denoise import opinion
from bench.speak import EAR, heard, plain

Floats = NDArray[np.float32]
Synthesis = Callable[[Floats], Floats]
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "kathleen" / "transcripts.tsv"
VALID, TEST, SEED = "0.0255", "0.025", 0  # the utterances held out by the recipes' commands
SECONDS = 2.0  # of sound that the samplers make
STEPS = 40  # samples that torch's loops make
WORST, BEST = 0.15, 0.08  # of the words, by each vocoder and by the best
REAL_TIME = {"WaveNet": 1.5, "WaveRNN": 1.0, "WaveGlow": 5.0}
TIMES_TORCH = 1_000.0  # WaveNet's sampler, of torch's loop


def rate(make: Callable[[], object], seconds: float, repeats: int = 3) -> float:
    """Seconds of sound in a second of a core, the median of some, after one that compiles."""
    make()
    took = []
    for _ in range(repeats):
        start = time.process_time()
        make()
        took.append(time.process_time() - start)
    return seconds / statistics.median(took)


def mel(frames: int) -> torch.Tensor:
    """A mel of nothing in particular, [1, n_mels, frames + 2 MARGIN]."""
    return torch.randn(1, mels.N_MELS, frames + 2 * MARGIN, generator=torch.Generator().manual_seed(0)) - 5.0


def count() -> int:
    """Samples that the samplers make."""
    return round(SECONDS * mels.SAMPLE_RATE)


def wavenet_rates() -> tuple[float, float]:
    """Of the kernel, and of a forward pass over the receptive field for each sample."""
    net = WaveNet(mels.N_MELS).eval()
    weights = wavenet.weights(net.state_dict(), net.dilations)
    given = net.given(mel(count() // mels.HOP + 1))[:, :, 0].permute(2, 0, 1).detach().numpy()
    hops = -(-(sum(net.dilations) + 1) // mels.HOP)
    before, own = torch.randint(0, CODES, (1, hops * mels.HOP)), mel(hops + 1)
    ours = rate(
        lambda: wavenet.Sampler(weights, first=CODES // 2, temperature=1.0, seed=0).draw(given, count()), SECONDS
    )

    def loop() -> None:
        codes = before
        for _ in range(STEPS):
            drawn = torch.multinomial(net(codes, own)[0, -1].softmax(-1), 1)
            codes = torch.cat([codes[:, 1:], drawn[None]], dim=1)

    return ours, rate(loop, STEPS / mels.SAMPLE_RATE, repeats=1)


def wavernn_rates() -> tuple[float, float]:
    """Of the kernel, and of torch's modules step by step."""
    net = WaveRNN(mels.N_MELS).eval()
    weights = wavernn.weights(net.state_dict())
    given = net.given(mel(count() // mels.HOP + 1))[0].detach().numpy()
    seen = net.conditioner(mel(3)).transpose(1, 2)
    half = net.width // 2
    ours = rate(
        lambda: wavernn.Sampler(weights, first=BYTE * BYTE // 2, temperature=1.0, seed=0).draw(given, count()), SECONDS
    )

    def loop() -> None:
        high = low = torch.zeros(1, 1, 1)
        state = torch.zeros(1, 1, net.width)
        for _ in range(10 * STEPS):
            coarse, _ = net.gru(torch.cat([high, low, torch.zeros(1, 1, 1), seen[:, :1]], dim=-1), state)
            now = torch.multinomial(net.high(coarse[0, :, :half]).softmax(-1), 1)[None] / 127.5 - 1
            fine, state = net.gru(torch.cat([high, low, now, seen[:, :1]], dim=-1), state)
            low = torch.multinomial(net.low(fine[0, :, half:]).softmax(-1), 1)[None] / 127.5 - 1
            high = now

    return ours, rate(loop, 10 * STEPS / mels.SAMPLE_RATE, repeats=1)


def waveglow_rate() -> float:
    """Of all samples at once."""
    net = WaveGlow(mels.N_MELS).eval()
    noise, own = torch.randn(1, GROUP, count() // GROUP), mel(count() // mels.HOP + 1)
    return rate(lambda: net.inverse(noise, own), SECONDS)


@torch.inference_mode()
def speeds() -> Iterator[Score]:
    """A row a vocoder, on one thread, and WaveNet's beside torch."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    (ours, theirs), (gated, stepped) = wavenet_rates(), wavernn_rates()
    found = {"WaveNet": (ours, theirs), "WaveRNN": (gated, stepped), "WaveGlow": (waveglow_rate(), None)}
    torch.set_num_threads(threads)
    for name, (rate_, peer) in found.items():
        told = "" if peer is None else f"{peer * mels.SAMPLE_RATE:.3g} samples/s"
        want = REAL_TIME[name]
        note = "" if peer is None else f"{rate_ / peer:,.0f} times as fast"
        yield Score(
            f"{name}, speed on a core", f"{rate_:.2f}x real time", "torch's own loop" if told else "", told,
            f">= {want:g}x", rate_ >= want, note,
        )  # fmt: skip
    yield Score(
        "WaveNet's sampler, times torch's loop", f"{ours / theirs:,.0f}x", "", "", f">= {TIMES_TORCH:,.0f}x",
        ours / theirs >= TIMES_TORCH,
    )  # fmt: skip


def folders() -> Iterator[tuple[str, Path]]:
    """The vocoders of our own on this machine, by kind; the second of a kind has a number."""
    seen = Counter[str]()
    named = [Path(name) for name in os.environ.get("BENCH_VOCODERS", "").split(os.pathsep) if name]
    for folder in [*sorted(WEIGHTS.iterdir()), *named]:
        config = folder / "config.json"
        kind = str(json.loads(config.read_text(encoding="utf-8")).get("model_type")) if config.is_file() else ""
        if kind in nets.KINDS:
            seen[kind] += 1
            yield kind.removeprefix("audiocli-") + (f" {seen[kind]}" if seen[kind] > 1 else ""), folder


def held_out() -> list[Example]:
    """The test utterances of the recipes' commands; nothing was trained on their sentences."""
    return split(examples([str(DATA)]), VALID, TEST, SEED).test


@functools.cache
def copies() -> dict[str, tuple[float, float]]:
    """(share of words heard wrong, mean DNSMOS) of the recordings, of Griffin-Lim, and of each vocoder."""
    rows = held_out()
    sounds = [decode(row.path, mels.SAMPLE_RATE) for row in rows]
    said = [plain(row.fields["text"]) for row in rows]

    def by(vocoder: vocoders.Vocoder) -> Synthesis:
        return lambda sound: vocoder(torch.from_numpy(mels.log_mel(sound)))

    ways: dict[str, Synthesis] = {
        "recording": lambda sound: sound,
        "Griffin-Lim": by(vocoders.GriffinLim(vocoders.OURS)),
    }
    for kind, folder in folders():
        ways[kind] = by(vocoders.load(str(folder), Place("cpu", "float32"), vocoders.OURS))
    found = {}
    for name, way in ways.items():
        made = [way(sound) for sound in sounds]
        wrong = float(jiwer.wer(said, [plain(heard(one, mels.SAMPLE_RATE)) for one in made]))
        found[name] = wrong, statistics.mean(opinion()(one)["ovr"] for one in made)
    return found


def copied() -> Iterator[Score]:
    """Rows of copy synthesis."""
    found = copies()
    (plain_wrong, plain_opinion), (best_wrong, best_opinion) = found["Griffin-Lim"], found["recording"]
    for name, (wrong, opinion_) in found.items():
        if name in ("Griffin-Lim", "recording"):
            continue
        peer = f"{plain_wrong:.1%}; recording {best_wrong:.1%}"
        what = f"copy synthesis: words that {EAR} hears wrong, {name}"
        yield Score(what, f"{wrong:.1%}", "Griffin-Lim", peer, f"<= {WORST:.0%}, one <= {BEST:.0%}", wrong <= WORST)
        peer = f"{plain_opinion:.2f}; recording {best_opinion:.2f}"
        good = opinion_ > plain_opinion
        yield Score(f"copy synthesis: DNSMOS, {name}", f"{opinion_:.2f}", "Griffin-Lim", peer, "above it", good)


def rows() -> list[Score]:
    return [*speeds(), *copied()]


if __name__ == "__main__":
    for row in rows():
        print(row)
