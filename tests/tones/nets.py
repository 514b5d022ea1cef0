"""Made-up nets with the inputs and outputs of SwiftF0 and of Basic Pitch, whose answers are plain to see."""

import numpy as np

from audiocli.tones import basic_pitch
from tests.models.handmade import model, node

OPSET = 13
KEY = 48  # A4, the only key that the net hears


def swift_f0() -> bytes:
    """The pitch of a frame is 1,000 times the mean of its samples, and that mean is how sure it is."""
    nodes = [
        node("Unsqueeze", ["audio", "one"], ["deep"]),
        node("AveragePool", ["deep"], ["pooled"], kernel_shape=[256], strides=[256]),
        node("Squeeze", ["pooled", "one"], ["confidence"]),
        node("Mul", ["confidence", "thousand"], ["pitch"]),
    ]
    constants = {"one": np.array([1]), "thousand": np.array([1_000.0], np.float32)}
    inputs = {"audio": [1, "samples"], "fmin": [], "fmax": []}
    return model(nodes, constants, inputs, {"pitch": [1, "frames"], "confidence": [1, "frames"]}, opset=OPSET)


def basic_pitch_net() -> bytes:
    """Every 256th sample is how likely A4 begins, and sounds, there."""
    mask = np.zeros((1, 1, 88), np.float32)
    mask[..., KEY] = 1.0
    where = {"start": 0, "end": 1 << 30, "axis": 1, "step": 256}
    nodes = [
        node("Slice", [basic_pitch.INPUT, *where], ["frames"]),
        node("Mul", ["frames", "mask"], ["onset"]),
        node("Mul", ["frames", "mask"], ["sounding"]),
    ]
    constants = {"mask": mask, **{name: np.array([n]) for name, n in where.items()}}
    inputs = {basic_pitch.INPUT: ["n", basic_pitch.LENGTH, 1]}
    return model(nodes, constants, inputs, {name: ["n", 172, 88] for name in ("onset", "sounding")}, opset=OPSET)
