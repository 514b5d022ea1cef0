"""A made-up package of the name hibari with the interface of the real one: letters are phonemes, each lasts two frames.

Its net is an ONNX file made by hand, with the value inside that the real one has.
"""

import importlib.machinery
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np

from audiocli.verbs.speak import hibari
from tests.models.handmade import FLOAT, INT64, model, node

RATE, FRAME = 24_000, 300  # Hz, samples
LETTERS = "abcdefghijklmnopqrstuvwxyz .,!?"
OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")


def net(durations=hibari.DURATIONS):
    """ids [1, n], speed [1] -> six outputs, the last of which is two frames a phoneme at speed 1; its whole numbers inside."""
    nodes = [
        node("Cast", ["ids"], ["numbers"], to=FLOAT), node("Sub", ["numbers", "numbers"], ["zeros"]),
        node("Exp", ["zeros"], ["ones"]), node("Add", ["ones", "ones"], ["twos"]),
        node("Div", ["twos", "speed"], ["f0"]), node("Cast", ["f0"], [durations], to=INT64),
        *(node("Identity", ["numbers"], [name]) for name in OUTPUTS[:-1]),
    ]  # fmt: skip
    outputs = {name: [1, "n"] for name in OUTPUTS}
    return model(nodes, {}, {"ids": [1, "n"], "speed": [1]}, outputs, opset=13, types={"ids": INT64})


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
