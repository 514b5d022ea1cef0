"""A made-up package of the name hibari with the interface of the real one: letters are phonemes, each lasts two frames.

Its net is an ONNX file made here, byte by byte, with the value inside that the real one has.
"""

import importlib.machinery
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np

from audiocli.verbs.speak import hibari

RATE, FRAME = 24_000, 300  # Hz, samples
LETTERS = "abcdefghijklmnopqrstuvwxyz .,!?"
FLOAT, INT64 = 1, 7  # types of ONNX
OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, value):
    """A field of a protocol buffer: an integer, a text or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def node(kind, inputs, output, to=None):
    """A node of one output; to: the type that a Cast makes."""
    attribute = field(5, field(1, "to") + field(3, to) + field(20, 2)) if to else b""
    return field(1, b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind) + attribute)


def value(name, kind, dimensions):
    shape = b"".join(field(1, field(2, size) if isinstance(size, str) else field(1, size)) for size in dimensions)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def net(durations=hibari.DURATIONS):
    """ids [1, n], speed [1] -> six outputs, the last of which is two frames a phoneme at speed 1; its whole numbers inside."""
    nodes = [
        node("Cast", ["ids"], "numbers", to=FLOAT), node("Sub", ["numbers", "numbers"], "zeros"), node("Exp", ["zeros"], "ones"),
        node("Add", ["ones", "ones"], "twos"), node("Div", ["twos", "speed"], "f0"), node("Cast", ["f0"], durations, to=INT64),
        *(node("Identity", ["numbers"], name) for name in OUTPUTS[:-1]),
    ]  # fmt: skip
    inputs = field(11, value("ids", INT64, [1, "n"])) + field(11, value("speed", FLOAT, [1]))
    outputs = b"".join(field(12, value(name, FLOAT, [1, "n"])) for name in OUTPUTS)
    return (
        field(1, 8)
        + field(8, field(1, "") + field(2, 13))
        + field(7, b"".join(nodes) + field(2, "g") + inputs + outputs)
    )


def synth(lh, theta, ln, lr, phi, f0, random):
    """A tone as long as all phonemes, with some noise."""
    n = round(float(f0.sum())) * FRAME
    return (0.5 * np.sin(np.arange(n)) + 0.01 * random.standard_normal(n)).astype(np.float32)


class G2P:
    """A token for each word and each mark; the letters are its phonemes."""

    def __init__(self, *, british):
        self.british = british

    def tokenize(self, text):
        found = list(re.finditer(r"\w+|[^\w\s]", text))
        return [
            SimpleNamespace(text=one[0], whitespace=" " * (text[one.end() : one.end() + 1] == " "), phonemes=None)
            for one in found
        ]

    def phonemize_tokens(self, tokens):
        for token in tokens:
            token.phonemes = "".join(c for c in token.text.lower() if c in LETTERS)
        return tokens


def install(monkeypatch, folder):
    """The package in the place of the real one, its files in a folder; returns that folder."""
    (folder / "heart.onnx").write_bytes(net())
    (folder / "vocab.json").write_text("{" + ", ".join(f'"{c}": {n}' for n, c in enumerate(LETTERS, 1)) + "}")

    def voice_path(name, download_missing=True):
        assert not download_missing, "the package would open a socket"
        path = folder / f"{name}.onnx"
        if not path.exists():
            raise FileNotFoundError(path)
        return str(path)

    about = {
        "heart": {"language": "en-US", "accent": "American", "gender": "female", "british": False},
        "emma": {"language": "en-GB", "accent": "British", "gender": "female", "british": True},
    }
    parts = {
        "voices": {"VOICES": about, "voice_path": voice_path}, "tts": {"ASSETS": str(folder)}, "dsp": {"synth": synth},
        "g2p": {"G2P": G2P, "normalize": str.strip},
    }  # fmt: skip
    for name in [name for name in sys.modules if name.partition(".")[0] == "hibari"]:
        monkeypatch.delitem(sys.modules, name)
    package = ModuleType("hibari")
    package.__spec__ = importlib.machinery.ModuleSpec("hibari", None, is_package=True)
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "hibari", package)
    for name, content in parts.items():
        module = ModuleType(f"hibari.{name}")
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, f"hibari.{name}", module)
        setattr(package, name, module)
    return folder
