"""Who of a few people speaks in each frame of a window: the Siamese net's layers below, a recurrent net above.

Bredin and Laurent (2021), "End-to-end speaker segmentation for overlap-aware resegmentation" (local speakers in short windows);
Plaquet and Bredin (2023), "Powerset multi-class cross entropy loss for neural speaker diarization" (a class for each set of
people; here all sets, so that targets may be probabilities); Yu et al. (2017), "Permutation invariant training".
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .siamese import Sizes as Below
from .siamese import Trunk

FRAME = 320  # samples: 20 ms
BELOW = ("stem", "front", "enter", "blocks")  # layers that a Siamese net has, too


@dataclass(frozen=True)
class Sizes(Below):
    """The sizes that the weights must fit."""

    hidden: int = 128  # of the recurrent net, each way
    layers: int = 2
    speakers: int = 3  # people in a window at most


class Segmenter(Trunk):
    """Windows [batch, samples] to logits of the sets of speakers [batch, samples // FRAME, 2 ** speakers]."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)
        self.sizes = sizes
        self.recurrent = nn.LSTM(sizes.width, sizes.hidden, sizes.layers, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * sizes.hidden, 2 * 2**sizes.speakers)

    def forward(self, windows: Tensor) -> Tensor:
        """[batch, samples] to [batch, samples // FRAME, 2 ** speakers]."""
        return self.decide(self.bands(windows), windows.shape[1] // FRAME)

    def decide(self, bands: Tensor, frames: int) -> Tensor:
        """[batch, n_mels, time] to [batch, frames, 2 ** speakers].

        A step of the recurrent net is 40 ms, centred on a multiple of that: it tells of the frame before its centre and of the
        one after it, and the first of all lies before the window.
        """
        deep = self.head(self.recurrent(self.depths(bands)[-1].transpose(1, 2))[0])
        logits: Tensor = deep.unflatten(2, (2, -1)).flatten(1, 2)[:, 1 : 1 + frames].float()
        return logits


@cache
def members(speakers: int) -> Tensor:
    """Which speakers [sets, speakers] are in each set, 1 or 0; set n has the speakers of the bits of n."""
    sets = torch.arange(2**speakers)[:, None]
    return ((sets >> torch.arange(speakers)) & 1).float()


@cache
def orders(speakers: int) -> Tensor:
    """The set [orders, sets] that each set becomes in every order of the speakers."""
    powers = 2 ** torch.arange(speakers)
    rows = [(members(speakers)[:, list(order)].long() * powers).sum(1) for order in permutations(range(speakers))]
    return torch.stack(rows)


def activity(logits: Tensor) -> Tensor:
    """The probability that each speaker speaks, [batch, frames, speakers], of logits of sets [batch, frames, sets]."""
    speakers = logits.shape[-1].bit_length() - 1
    return logits.softmax(-1) @ members(speakers).to(logits.device)


def sets(speaking: Tensor) -> Tensor:
    """The probability of each set [batch, frames, sets] when each speaker speaks with those given, [batch, frames, speakers]."""
    inside = members(speaking.shape[-1]).to(speaking.device)
    each = speaking[..., None, :]
    return (each * inside + (1.0 - each) * (1.0 - inside)).prod(-1)


def invariant_loss(logits: Tensor, speaking: Tensor) -> Tensor:
    """Cross-entropy of the sets for whichever order of the speakers fits each window best.

    logits [batch, frames, sets]; speaking [batch, frames, speakers], 1, 0 or a probability.
    """
    likely = functional.log_softmax(logits.float(), -1)
    agreement = sets(speaking).transpose(1, 2) @ likely / likely.shape[1]  # [batch, sets, sets]
    every = orders(speaking.shape[-1]).to(logits.device)
    own = torch.arange(every.shape[1], device=logits.device)
    return -agreement[:, every, own].sum(-1).amax(1).mean()
