"""Sound classifiers of our own: the built-in one, and those that `audiocli train classifier` writes."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...device import Place
from ...models import own
from ...models.registry import ModelSpec
from ...nets.classifier import Classifier
from ...options import ClassifyOptions
from .tagger import Traits

AT_ONCE = 160.0  # s of audio in one forward pass
STEP = 0.5  # s; windows are filled up with zeros to whole steps, so that many have one length


def load(path: Path, spec: ModelSpec, place: Place, options: ClassifyOptions | None) -> "Tagger":
    """The runner of a classifier in the folder `path`."""
    config = own.config(path)
    shape = {name: config[name] for name in ("sample_rate", "n_fft", "hop_length", "n_mels", "widths", "dropout")}
    net = own.with_weights(Classifier(len(config["labels"]), **shape), path, place)
    return Tagger(net, tuple(config["labels"]), int(config["sample_rate"]), float(config["window"]))


class Tagger:
    """Windows of sound in, probabilities out."""

    traits = Traits()

    def __init__(self, net: Classifier, labels: tuple[str, ...], sample_rate: int, window: float) -> None:
        self.labels, self.sample_rate, self.window = labels, sample_rate, window
        self._net = net

    def __call__(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Windows [samples] each, of any lengths, to probabilities [windows, labels]; the same alone and together."""
        step = int(STEP * self.sample_rate)
        sizes = [max(-(-len(window) // step), 1) * step for window in windows]
        result = np.empty((len(windows), len(self.labels)), np.float32)
        order = sorted(range(len(windows)), key=sizes.__getitem__)
        for size, numbers in groupby(order, key=sizes.__getitem__):
            alike = list(numbers)
            most = max(int(AT_ONCE * self.sample_rate / size), 1)
            for first in range(0, len(alike), most):
                some = alike[first : first + most]
                result[some] = self._probabilities(
                    np.stack([np.pad(windows[n], (0, size - len(windows[n]))) for n in some])
                )
        return result

    @torch.inference_mode()
    def _probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        parameter = next(self._net.parameters())
        spectra = self._net.logmel(torch.from_numpy(samples).to(parameter.device)).to(parameter.dtype)
        logits = self._net.classify(self._net.bands(spectra))
        scores: NDArray[np.float32] = logits.float().softmax(-1).cpu().numpy()
        return scores
