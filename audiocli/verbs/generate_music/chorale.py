"""The nets for four-part music: they compose, continue a primer, and harmonise a melody."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from ...device import Place
from ...errors import ModelError
from ...models.registry import ModelSpec
from ...music import tokens
from ...music.grid import RANGES, VOICES, Grid, key_name
from ...music.leading import parallels
from ...music.piece import Piece
from ...nets.music_lstm import MusicLSTM
from ...nets.music_transformer import MusicTransformer
from ...options import MusicOptions
from ...records import Music, Sound
from . import plan, render
from .plan import FREE, Plan
from .sampling import choose
from .work import Wish

NETS = {"lstm": MusicLSTM, "transformer": MusicTransformer}

# Chosen on the valid split, by what bench/music.py measures.
TEMPERATURE, TOP_P = 1.0, 1.0
PENALTY = 4.75  # nats off the logit of a pitch that moves in parallel fifths or octaves; it alone brings them down to Bach's rate

# Weight of logits with the key given against those without (classifier-free guidance, Ho & Salimans 2022; 1: only those with it).
# With 1, 19 of 48 pieces of ten bars were in the key that was asked for, with 2 37, their notes as often in its scale as Bach's.
GUIDANCE = 2.0

Ints = NDArray[np.int64]
Net = MusicLSTM | MusicTransformer


def load(path: Path, spec: ModelSpec, place: Place, options: MusicOptions) -> "Chorales":
    """The runner of a net in the folder `path`. Raises UsageError, and InputError for a primer or melody that it cannot use."""
    font = render.soundfont(options.soundfont)
    render.player(font)
    return Chorales(read_net(path, place), plan.given(options), font, options)


class Chorales:
    """Wishes in, four-part music out."""

    sample_rate = render.SAMPLE_RATE

    def __init__(self, net: "Net", fixed: plan.Given, font: Path, options: MusicOptions) -> None:
        self.net, self.fixed, self.font, self.options = net, fixed, font, options
        plan.plan(options, fixed, 0)  # wrong options are reported before anything is composed

    def __call__(self, batch: list[Wish]) -> list[Music]:
        """A record for each wish; its sound is made when it is asked for."""
        plans = [plan.plan(self.options, self.fixed, wish.seed) for wish in batch]
        pieces = compose(self.net, plans, self.options)
        return [self._record(one, tokens.grid_of(numbers)) for one, numbers in zip(plans, pieces, strict=True)]

    def _record(self, one: Plan, pitches: Grid) -> Music:
        own, piece = self.options, one.piece(pitches)
        length = round(one.seconds * self.sample_rate)
        program = render.PROGRAMS[own.instrument]
        played = render.Performance(piece, program, self.font, length)
        return Music(
            path="", duration=one.seconds, sample_rate=self.sample_rate, task="", piece=piece.held(one.held), program=program,
            sound=Sound(self.sample_rate, 2, length, lambda: iter([played.mix])),
            stems={
                name: Sound(self.sample_rate, 2, length, lambda n=n: iter([played.stem(n)]))  # type: ignore[misc]
                for n, name in enumerate(VOICES)
            },
            details={"key": key_name(one.key), **_times(piece), "instrument": own.instrument},
            warnings=self.fixed.warnings,
        )  # fmt: skip


def _times(piece: Piece) -> dict[str, Any]:
    """The tempo of a piece at its first note, the second at which that note begins, and the tempos that follow, if any."""
    tempo = piece.tempo
    later = [
        (tempo.seconds(at), value) for at, value in tempo.changes if piece.lead < at < piece.lead + len(piece.grid)
    ]
    fields: dict[str, Any] = {"tempo": tempo.at(piece.lead), "start": round(tempo.seconds(piece.lead), 6)}
    if later:
        fields["tempo_changes"] = [{"time": round(time, 6), "tempo": value} for time, value in later]
    return fields


def read_net(path: Path, where: Place) -> Net:
    """The net of a folder that `audiocli train` wrote. Raises ModelError."""
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    if config.get("n_tokens") != tokens.N_TOKENS or config.get("net") not in NETS:
        raise ModelError(f"{path} was trained by another version of audiocli: train it again")
    net: Net = NETS[config["net"]](config["n_tokens"], **config["shape"])
    net.load_state_dict({name: value.float() for name, value in load_file(path / "model.safetensors").items()})
    return net.to(where.device).eval()


def allowed() -> NDArray[np.float64]:
    """[4, tokens]: 0 for the pitches of each voice, -inf for all others and for the rest."""
    result = np.full((len(RANGES), tokens.N_TOKENS), -np.inf)
    for row, (low, high) in zip(result, RANGES, strict=True):
        row[low - tokens.LOWEST : high - tokens.LOWEST + 1] = 0.0
    return result


@torch.inference_mode()
def compose(net: Any, plans: Sequence[Plan], options: MusicOptions) -> list[Ints]:
    """Tokens [steps, 4] of each plan, all at once; plans may differ in length."""
    device = next(net.parameters()).device
    temperature = TEMPERATURE if options.temperature is None else options.temperature
    top_p = TOP_P if options.top_p is None else options.top_p
    randoms = [np.random.default_rng(plan.seed) for plan in plans]
    longest = max(len(plan.given) for plan in plans)
    given = np.stack([_filled(plan.given, longest, tokens.REST_TOKEN) for plan in plans])
    known = np.stack([_filled(plan.context, longest, 0) for plan in plans])
    # Every piece twice: with the key known, and with it unknown.
    context = torch.from_numpy(np.concatenate([known, tokens.without_hints(known, key=True, end=False)])).to(device)
    before = np.full((len(plans), len(RANGES)), tokens.START)
    held, state, bias = np.zeros_like(before), net.start(), allowed()
    result = np.empty_like(given)
    for at in range(longest):
        inputs = (_twice(numbers[:, None], device) for numbers in (before, held))
        found, state = net.step(*inputs, context[:, at : at + 1], state)
        now = result[:, at]
        for voice in range(len(RANGES)):
            now[:, voice] = given[:, at, voice]
            if (free := np.flatnonzero(now[:, voice] == FREE)).size:
                logits = _logits(net, found, before, now[:, :voice], device) + bias[voice]
                for row in free:
                    led = logits[row] - PENALTY * parallels(before[row], now[row, :voice])
                    now[row, voice] = choose(
                        led, randoms[row], temperature=temperature, top_k=options.top_k, top_p=top_p
                    )
        held = np.where(now == before, np.minimum(held + 1, tokens.LONGEST), 0)
        before = now
    return [numbers[: len(plan.given)] for numbers, plan in zip(result, plans, strict=True)]


def _logits(net: Any, hidden: torch.Tensor, before: Ints, above: Ints, device: torch.device) -> NDArray[np.float64]:
    """[plans, tokens] of the next voice, from the states with the key and without it [2 * plans, width]."""
    logits = net.step_out.one(hidden, _twice(before, device), _twice(above, device)).double()
    knowing, not_knowing = logits.chunk(2)
    return np.asarray((not_knowing + GUIDANCE * (knowing - not_knowing)).cpu().numpy())


def _twice(numbers: Ints, device: torch.device) -> torch.Tensor:
    """[n, ...] -> [2 * n, ...]."""
    return torch.from_numpy(np.concatenate([numbers, numbers])).to(device)


def _filled(rows: Ints, length: int, value: int) -> Ints:
    """Rows up to a length; what is added is cut off in the end."""
    return np.concatenate([rows, np.full((length - len(rows), rows.shape[1]), value)])
