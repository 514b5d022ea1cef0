"""YAMNet (Plakal & Ellis 2020): the 521 sounds of AudioSet by a MobileNet, in the ONNX files that Qualcomm AI Hub made of it.

They lie zipped, rounded to 8 bits for phones with the weights in float32 beside. The rounding is taken out again: with it, 79 % of
the clips of fold 4 of ESC-10 are right, without it 94 %, and the patch that took 2.0 ms on one core takes 2.8.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...device import Place
from ...errors import DownloadError, ModelError
from ...kernels import mel, spectral
from ...models import onnx
from ...models.registry import ModelSpec
from ...models.unquantised import unquantised
from ...options import ClassifyOptions
from .models import YAMNET_FILE
from .tagger import Traits

Floats = NDArray[np.float32]

LABELS = "yamnet_class_map.csv"
GRAPH, WEIGHTS = "model.onnx", "model.data"  # in the archive
LARGEST = 64 << 20  # bytes of either; the real ones have 65 thousand and 15 million
INPUT = "audio"

SAMPLE_RATE = 16_000  # Hz
FRAME, HOP, N_FFT = 400, 160, 512  # samples
BANDS, LOWEST, HIGHEST = 64, 125.0, 7_500.0  # Hz
OFFSET = 1e-3  # of magnitudes, before their logarithm
PATCH, STEP = 96, 48  # frames that the net judges at once, and from one patch to the next
SAMPLES = FRAME + (PATCH - 1) * HOP  # of a patch
# Above it events begin. It is low: a quarter of the helicopters and ticking clocks never come above 0.17.
# Chosen on scenes of folds 1 to 3 of ESC-10.
THRESHOLD = 0.15


def load(path: Path, spec: ModelSpec, place: Place, options: ClassifyOptions | None) -> "Tagger":
    """The runner of the files in the folder `path`. Raises ModelError."""
    graph, weights = _members(path / YAMNET_FILE)
    net = onnx.load(
        unquantised(graph, YAMNET_FILE), name=YAMNET_FILE, device="cpu", takes=[INPUT], beside={WEIGHTS: weights}
    )
    labels = _labels(path / LABELS)
    if (count := net(audio=np.zeros((1, 1, PATCH, BANDS), np.float32))[0].size) != len(labels):
        raise ModelError(f"{path / LABELS} names {len(labels)} sounds, and the net has {count}")
    return Tagger(net, labels)


def _members(file: Path) -> tuple[bytes, bytes]:
    """The graph and the weights of an archive; nothing of it is written anywhere. Raises ModelError."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename.rpartition("/")[2]: entry for entry in archive.infolist()}
            if any(entries[name].file_size > LARGEST for name in (GRAPH, WEIGHTS)):
                raise ModelError(f"{file} holds more than YAMNet")
            return archive.read(entries[GRAPH]), archive.read(entries[WEIGHTS])
    except KeyError as error:
        raise ModelError(f"{file} holds something else: there is no {error.args[0]} in it") from error
    except FileNotFoundError as error:
        raise ModelError(f"there is no {file}") from error
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError, zlib.error) as error:
        raise DownloadError(f"{file} is damaged, or not a zip file: copy or pull the model again") from error


def _labels(file: Path) -> tuple[str, ...]:
    """The names of the sounds, in the order of the net's outputs. Raises ModelError."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return tuple(row["display_name"] for row in csv.DictReader(stream))
    except FileNotFoundError as error:
        raise ModelError(f"there is no {file}: copy it beside {YAMNET_FILE}") from error
    except (KeyError, ValueError, csv.Error) as error:
        raise DownloadError(f"{file} is damaged, or not the list of YAMNet's sounds") from error


class Tagger:
    """Windows of sound in, probabilities out; each patch by itself, so that its neighbours are not heard."""

    sample_rate, window = SAMPLE_RATE, SAMPLES / SAMPLE_RATE
    traits = Traits(independent=True, threshold=THRESHOLD, hop=STEP * HOP / SAMPLE_RATE)

    def __init__(self, net: onnx.Net, labels: tuple[str, ...]) -> None:
        self.labels, self._net = labels, net
        self._framing = spectral.Framing(N_FFT, HOP, mel.window("hann", FRAME))
        self._bank = mel.sparse(mel.filterbank(SAMPLE_RATE, N_FFT, BANDS, LOWEST, HIGHEST, scale="htk"))

    def __call__(self, windows: Sequence[Floats]) -> Floats:
        """Windows [samples] each, of any lengths, to probabilities [windows, labels]: the means of their patches."""
        result = np.empty((len(windows), len(self.labels)), np.float32)
        for number, window in enumerate(windows):
            logits = np.concatenate([self._net(audio=patch[None, None])[0] for patch in self._patches(window)])
            result[number] = (0.5 * (np.tanh(0.5 * logits) + 1.0)).mean(axis=0)  # exp would overflow
        return result

    def _patches(self, window: Floats) -> Iterator[Floats]:
        """Patches [PATCH, BANDS] of a window, which is filled up with silence to one; the last ends with it."""
        beside = (N_FFT - FRAME) // 2  # the frames stand in the middle of what goes through the FFT
        samples = np.pad(window.astype(np.float32), (beside, beside + max(SAMPLES - len(window), 0)))
        bands = spectral.analyse(samples, self._framing, bank=self._bank, exponent=1.0).mel
        assert bands is not None
        logarithms = np.log(bands + np.float32(OFFSET))
        last = len(logarithms) - PATCH
        for first in (*range(0, last, STEP), last):
            yield logarithms[first : first + PATCH]
