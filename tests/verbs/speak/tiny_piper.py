"""A made-up voice of Piper, byte by byte: its net has the inputs of the real ones, draws noise inside, and has a closed form."""

import json

import numpy as np

from tests.models.handmade import TYPES, model, node

FLOAT, INT64 = TYPES["float32"], TYPES["int64"]

RATE, REPEATS = 8_000, 40
SIGNS = "_^$ !',-.:;?aæbcdefghijklmnopqrstuvwxyzɹɪʃʊʌəɛɚɑɔθðŋɡˈˌːɐɾɒáäöü"
NUMBERS = {sign: [number] for number, sign in enumerate(SIGNS)}
SPEAKERS = {"anna": 0, "ben": 2}


def net(speakers=False):
    """`output`: the numbers / 100, scales[0] times noise and sid / 10, of all of these 40 scales[1] times, rounded up."""
    nodes = [
        node("Cast", ["input"], ["numbers"], to=FLOAT), node("Cast", ["input_lengths"], ["unused"], to=FLOAT),
        node("RandomNormalLike", ["numbers"], ["random"]),
        node("Gather", ["scales", "first"], ["loudness"]), node("Gather", ["scales", "second"], ["length"]),
        node("Mul", ["random", "loudness"], ["rough"]), node("Div", ["numbers", "hundred"], ["small"]),
        node("Add", ["small", "rough"], ["sum"]),
        *([node("Cast", ["sid"], ["who"], to=FLOAT), node("Div", ["who", "ten"], ["tenth"]),
           node("Add", ["sum", "tenth"], ["once"])]
          if speakers else [node("Identity", ["sum"], ["once"])]),
        node("Reshape", ["once", "flat"], ["row"]), node("Mul", ["length", "times"], ["real"]), node("Ceil", ["real"], ["ceiling"]),
        node("Cast", ["ceiling"], ["repeats"], to=INT64), node("Tile", ["row", "repeats"], ["samples"]),
        node("Reshape", ["samples", "shape"], ["output"]),
    ]  # fmt: skip
    numbers = {
        "first": np.int64([0]), "second": np.int64([1]), "flat": np.int64([-1]), "shape": np.int64([1, 1, 1, -1]),
        "hundred": np.float32([100]), "ten": np.float32([10]), "times": np.float32([REPEATS]),
    }  # fmt: skip
    given = {"input": [1, "n"], "input_lengths": [1], "scales": [3], **({"sid": [1]} if speakers else {})}
    whole = {name: INT64 for name in given if name != "scales"}
    return model(nodes, numbers, given, {"output": [1, 1, 1, "samples"]}, opset=13, types=whole)


def about(**changes):
    """The JSON of it."""
    return {
        "audio": {"sample_rate": RATE, "quality": "low"}, "espeak": {"voice": "en-us"}, "dataset": "tiny",
        "inference": {"noise_scale": 0.25, "length_scale": 1, "noise_w": 0.8}, "phoneme_type": "espeak", "phoneme_map": {},
        "phoneme_id_map": NUMBERS, "num_speakers": 1, "speaker_id_map": {}, "language": {"code": "en_US"},
    } | changes  # fmt: skip


def write(folder, name="en_US-tiny-low", content=None, **changes):
    """The two files of a voice, with changes in its JSON; returns the ONNX file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(net("num_speakers" in changes) if content is None else content)
    (folder / f"{name}.onnx.json").write_text(json.dumps(about(**changes)))
    return path


def several(folder, name="en_US-choir-low"):
    """A voice with speakers."""
    return write(folder, name, dataset="choir", num_speakers=3, speaker_id_map=SPEAKERS)
