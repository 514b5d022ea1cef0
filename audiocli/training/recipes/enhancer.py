"""The recipes of the speech enhancers: mixtures made on the fly, a loss on compressed spectra and on the waveform."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...console import Console
from ...errors import UsageError
from ...nets.conv_enhancer import ConvEnhancer
from ...nets.enhancer import SAMPLE_RATE, Enhancer, Widths, window
from ...options import TrainOptions
from ..base import begin_from
from ..data import Clips, chosen, load_parts, shuffled
from ..examples import examples
from ..mixtures.mixing import Mixer, Mixing
from ..settings import About, Batch, Settings, configured, settled

NOISE = "noise"
SCORED = 32  # mixtures that a net is scored on
HELD = 2_147_483_647  # the seed of those
GAIN = 4.0  # that a net's result gets at most: one that keeps less of the speech is not an enhancer yet
COMPRESSION = 0.3  # exponent of the magnitudes that are compared
FLOOR = 1e-8  # of their powers: without it the gradient of tiny values drowns all others
SEGMENT = 24  # frames of an envelope that are compared: 0.4 s
SILENT = 1e-4  # of the loudest segment: 40 dB below it nobody speaks
SPEECH_LEVEL = 0.05  # root mean square that the loss sees the speech at


@dataclass(frozen=True)
class Own(Mixing):
    """The settings that --set changes."""

    local: int = Widths.local
    full: int = Widths.full
    sub: int = Widths.sub
    waveform: float = 0.5  # weight of the SI-SDR (per 10 dB) in the loss
    envelope: float = 3.0  # weight of one minus the correlation of the envelopes
    mean: float = 0.99  # decay of the running mean of the weights
    steps: int = 100  # in an epoch


def make(options: TrainOptions, console: Console) -> "EnhancerRecipe":
    """The recipe `enhancer`. Raises UsageError, InputError."""
    own = configured(Own(), options)
    net = partial(Enhancer, Widths(own.local, own.full, own.sub))
    return _made(options, own, console, "audiocli-enhancer", net)


def make_conv(options: TrainOptions, console: Console) -> "EnhancerRecipe":
    """The recipe `conv-enhancer`. Raises UsageError, InputError."""
    return _made(options, configured(Own(steps=100), options), console, "audiocli-conv-enhancer", ConvEnhancer)


def _made(
    options: TrainOptions, own: Own, console: Console, kind: str, net: Callable[[], nn.Module]
) -> "EnhancerRecipe":
    parts = load_parts(examples(options.data), SAMPLE_RATE, options, console)
    mixers: list[Mixer | None] = []
    noise: Clips | None = None
    for clips in parts:
        speech = chosen(clips, lambda row: row.label != NOISE)
        own_noise = chosen(clips, lambda row: row.label == NOISE)
        noise = own_noise if len(own_noise) else noise
        mixers.append(Mixer(speech, noise, own) if len(speech) and noise is not None else None)
    train, valid, test = mixers
    if train is None:
        raise UsageError("speech and noise are needed: give --data FOLDER of speech and --data noise=FOLDER")
    torch.manual_seed(options.seed)
    made = net()
    begin_from(options.base, made, kind)
    return EnhancerRecipe(options, own, kind, made, train, valid, test)


class EnhancerRecipe:
    """Trains a net that takes whole clips through `enhance`."""

    metric, higher, half = "objective", False, True

    def __init__(
        self, options: TrainOptions, own: Own, kind: str, net: nn.Module, train: Mixer, valid: Mixer | None, test: Mixer | None
    ) -> None:  # fmt: skip
        self.options, self.own, self.kind, self.net = options, own, kind, net
        self._train, self._valid, self._test = train, valid, test
        self.settings = settled(
            Settings(epochs=60, batch_size=16, rate=2e-3, weight_decay=1e-3, warmup=0.02, clip=1.0, average=own.mean),
            options,
        )
        self.steps = own.steps

    def batches(self, epoch: int) -> Iterator[Callable[[], Batch]]:
        """own.steps batches of mixtures, of speech clips in a new order each time."""
        some = self._numbers(epoch)
        for step in range(self.steps):
            yield partial(mixtures, self._train, next(some), [self.options.seed, epoch, step])

    def _numbers(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        """Numbers of speech clips without end."""
        size, turn = self.settings.batch_size, 0
        while True:
            for some in shuffled(len(self._train.speech), size, [self.options.seed, epoch, turn, 7]):
                yield np.resize(some, size)
            turn += 1

    def loss(self, net: nn.Module, batch: Batch) -> Tensor:
        """Distance of the compressed spectra, likeness of the envelopes, and the SI-SDR."""
        result, clean = net.enhance(batch["noisy"]), batch["clean"]  # type: ignore[operator]
        ratio = si_sdr(result, clean).clamp(max=30.0).mean()
        alike = likeness(result, clean).mean()
        return distance(result, clean) + self.own.envelope * (1 - alike) - self.own.waveform * 0.1 * ratio

    def validate(self, net: nn.Module) -> dict[str, float]:
        """Scores on mixtures of the data that is held out to choose by."""
        return self._scored(net, self._valid)

    def test(self, net: nn.Module) -> dict[str, float]:
        """Scores on mixtures of the test data, by which nothing was chosen."""
        return self._scored(net, self._test)

    def _scored(self, net: nn.Module, mixer: Mixer | None) -> dict[str, float]:
        if mixer is None:
            return {}
        plain = self._plain(mixer)
        device = next(net.parameters()).device
        numbers = np.random.default_rng(HELD).integers(len(mixer.speech), size=SCORED)
        rows = []
        for first in range(0, SCORED, 32):
            batch = mixtures(plain, numbers[first : first + 32], [HELD, first])
            noisy, clean = batch["noisy"].to(device), batch["clean"].to(device)
            result = net.enhance(noisy)  # type: ignore[operator]
            ratios = [float(si_sdr(x, clean).mean()) for x in (result, noisy)]
            rows.append([float(distance(result, clean)), float(likeness(result, clean).mean()), *ratios])
        apart, alike, after, before = np.mean(rows, axis=0).tolist()
        loss = apart + self.own.envelope * (1 - alike) - self.own.waveform * 0.1 * after
        return {
            "objective": loss, "distance": apart, "likeness": alike, "si-sdr": after, "si-sdr gain": after - before,
        }  # fmt: skip

    @torch.inference_mode()
    def _gain(self) -> float:
        """The gain of the net's results on mixtures of the data that is held out to choose by."""
        mixer = self._plain(self._valid or self._train)
        batch = mixtures(mixer, np.arange(SCORED) % len(mixer.speech), [HELD, 1])
        device = next(self.net.parameters()).device
        return gain(self.net.enhance(batch["noisy"].to(device)), batch["clean"].to(device))  # type: ignore[operator]

    def _plain(self, mixer: Mixer) -> Mixer:
        """The mixer for the data that scores are measured on."""
        return replace(mixer, mixing=replace(mixer.mixing, rooms=0.0, clean=0.0, speed=0.0, snr=(0.0, 10.0)))

    def config(self) -> dict[str, Any]:
        """The fields of config.json."""
        own = asdict(self.own)
        widths = {"local": own["local"], "full": own["full"], "sub": own["sub"]}
        return {
            "model_type": self.kind, "sample_rate": SAMPLE_RATE, "widths": widths, "gain": self._gain(),
            "settings": asdict(self.settings), "own": own,
        }  # fmt: skip

    def files(self) -> dict[str, bytes]:
        """Nothing besides."""
        return {}

    def about(self) -> About:
        """The texts of the card."""
        architecture = (self.net.__class__.__module__.rpartition(".")[2]).replace("_", "-")
        counts = ", ".join(
            f"{len(mixer.speech)} recordings of speech and {len(mixer.noise)} of noise to {what}"
            for mixer, what in ((self._train, "train on"), (self._valid, "choose by"), (self._test, "test on"))
            if mixer is not None
        )
        return About(
            "Takes noise off speech (16 kHz).",
            f"audiocli/nets/{architecture.replace('-', '_')}.py names its papers",
            f"{counts}; from {', '.join(self.options.data)}; held out to choose by: {self.options.valid or 'a tenth, at random'}; "
            f"to test on: {self.options.test or 'none'}. Mixed on the fly, with babble, coloured noise, hum and simulated rooms "
            f"besides, at {self.own.snr[0]:g} to {self.own.snr[1]:g} dB",
            f"On {SCORED} mixtures at 0 to 10 dB without rooms: si-sdr is in dB, its gain against the mixture; distance is that of "
            "compressed spectra, likeness the correlation of envelopes, objective the loss of the training. `held-out` scores are "
            "on the test data, by which nothing was chosen.",
        )


def mixtures(mixer: Mixer, numbers: NDArray[np.int64], seed: Sequence[int]) -> Batch:
    """A batch of mixtures of these speech clips, and the speech in them: `noisy` and `clean`, [batch, samples]."""
    random = np.random.default_rng(seed)
    pairs = [mixer.pair(int(number), random) for number in numbers]
    noisy, clean = (torch.from_numpy(np.stack(side)) for side in zip(*pairs, strict=True))
    return {"noisy": noisy, "clean": clean}


def gain(result: Tensor, clean: Tensor) -> float:
    """The factor that restores the level of the speech in results, which the SI-SDR of the loss ignores; at most GAIN."""
    share = float((result * clean).sum() / clean.square().sum())
    return round(1 / min(max(share, 1 / GAIN), GAIN), 3)


def distance(result: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance of magnitudes and of spectra, both compressed (Rong et al. 2024), of sound [batch, samples].

    Both are scaled so that the wanted sound has one and the same level: a quiet example counts as much as a loud one.
    """
    gain = SPEECH_LEVEL / (wanted.square().mean(-1, keepdim=True) + 1e-9).sqrt()
    own, theirs = (_compressed(sound * gain) for sound in (result, wanted))
    magnitudes = (own[0] - theirs[0]).square().mean()
    parts = (own[1] - theirs[1]).square().mean() + (own[2] - theirs[2]).square().mean()
    return 7.0 * magnitudes + 3.0 * parts


def _compressed(sound: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Magnitude, real and imaginary part."""
    spectrum = torch.stft(sound, 512, 256, window=window().to(sound.device), pad_mode="constant", return_complex=True)
    power = spectrum.real**2 + spectrum.imag**2 + FLOOR
    gain = power ** ((COMPRESSION - 1) / 2)
    return power ** (COMPRESSION / 2), spectrum.real * gain, spectrum.imag * gain


def likeness(result: Tensor, wanted: Tensor) -> Tensor:
    """Correlation of the envelopes in third-octave bands over 0.4 s, as STOI has it (Taal et al. 2011), [batch].

    Of sound [batch, samples]; segments without wanted sound are ignored. Frames are those of the net, so the values are
    near STOI's.
    """
    own, theirs = (_envelopes(sound).unfold(1, SEGMENT, SEGMENT // 4) for sound in (result, wanted))
    weight = theirs.square().sum((2, 3))
    active = (weight > SILENT * weight.amax(1, keepdim=True)).float()
    own, theirs = own - own.mean(-1, keepdim=True), theirs - theirs.mean(-1, keepdim=True)
    product = (own * theirs).sum(-1) / (own.square().sum(-1) * theirs.square().sum(-1) + 1e-10).sqrt()
    return (product.mean(-1) * active).sum(-1) / active.sum(-1).clamp(min=1.0)


def _envelopes(sound: Tensor) -> Tensor:
    """Root mean power in third-octave bands from 150 Hz on, [batch, frames, bands], of sound at one level."""
    sound = sound * SPEECH_LEVEL / (sound.square().mean(-1, keepdim=True) + 1e-9).sqrt()
    spectrum = torch.stft(sound, 512, 256, window=window().to(sound.device), pad_mode="constant", return_complex=True)
    return ((spectrum.real**2 + spectrum.imag**2).transpose(1, 2) @ _thirds().to(sound.device) + FLOOR).sqrt()


@cache
def _thirds() -> Tensor:
    """The assignment of 257 bins to 15 third octaves, [bins, bands]."""
    centres = 150.0 * 2.0 ** (torch.arange(15) / 3)
    edges = torch.cat([centres[:1] / 2 ** (1 / 6), centres * 2 ** (1 / 6)]) * 512 / SAMPLE_RATE
    bins = torch.arange(257)[:, None]
    return ((bins >= edges[:-1].round()) & (bins < edges[1:].round())).float()


def si_sdr(result: Tensor, wanted: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019) of sound [batch, samples] in dB, [batch]."""
    result, wanted = result - result.mean(-1, keepdim=True), wanted - wanted.mean(-1, keepdim=True)
    energy = wanted.square().sum(-1, keepdim=True) + 1e-8
    target = (result * wanted).sum(-1, keepdim=True) / energy * wanted
    rest = (result - target).square().sum(-1) + 1e-8
    return 10 * torch.log10(target.square().sum(-1) / rest + 1e-8)
