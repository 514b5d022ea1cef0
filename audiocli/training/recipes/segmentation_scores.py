"""The errors of a segmentation net in windows of which it is known who speaks, and the threshold that makes the fewest."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...nets.segmenter import Segmenter, activity
from ...nets.sinc_segmenter import CENTRE, STEP
from ..mixtures.conversations import FRAME
from ..mixtures.distortions import Floats
from ..settings import Batch

THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)  # that are tried


def scored(net: nn.Module, windows: Sequence[Batch]) -> dict[str, float]:
    """Errors of a net in percent of the speech in windows; {} without any."""
    total = sum((errors(likely > 0.5, true) for likely, true in answers(net, windows)), np.zeros(4))
    if not total[3]:
        return {}
    miss, alarm, confusion = (100.0 * total[:3] / total[3]).tolist()
    return {"DER": miss + alarm + confusion, "miss": miss, "false alarm": alarm, "confusion": confusion}


def threshold(net: nn.Module, windows: Sequence[Batch]) -> float:
    """The probability from which somebody speaks by which a net makes the fewest errors in windows; .5 without any."""
    with torch.inference_mode():
        every = list(answers(net, windows))
    wrong = {at: sum(errors(likely > at, true)[:3].sum() for likely, true in every) for at in THRESHOLDS if every}
    return min(wrong, key=lambda at: wrong[at]) if wrong else 0.5


def answers(net: nn.Module, windows: Sequence[Batch]) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """How likely a net takes it that each speaks, and whether it is so [batch, frames, speakers], batch by batch."""
    device = next(net.parameters()).device
    for some in windows:
        likely = activity(net(some["samples"].to(device))).cpu()
        yield likely.numpy(), at_frames(some["speaking"], net, likely.shape[1]).numpy() > 0.5


def at_frames(speaking: Tensor, net: nn.Module, frames: int) -> Tensor:
    """Who speaks [batch, FRAMEs, speakers] at the middle of each frame of a net [batch, frames, speakers]."""
    if isinstance(net, Segmenter):
        return speaking
    at = (CENTRE + STEP * torch.arange(frames)) / FRAME
    return speaking[:, at.long()]


def errors(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Frames of miss, false alarm and confusion, and of speech, of windows [batch, frames, speakers], each in its best order."""
    total = np.zeros(4)
    for answer, truth in zip(found, true, strict=True):
        some, many = truth.sum(1), answer.sum(1)
        right = max((truth & answer[:, list(order)]).sum() for order in permutations(range(truth.shape[1])))
        confusion = np.minimum(some, many).sum() - right
        total += np.maximum(some - many, 0).sum(), np.maximum(many - some, 0).sum(), confusion, some.sum()
    return total
