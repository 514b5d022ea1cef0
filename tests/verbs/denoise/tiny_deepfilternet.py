"""A DeepFilterNet of a few numbers: three ONNX nets with pads, convolutions over time and recurrent states, and their settings."""

import io
import tarfile

import numpy as np

from tests.models import handmade

BANDS, LOW, ORDER, HIDDEN = 4, 6, 3, 5
SETTINGS = f"""
[df]
sr = 48000
fft_size = 96
hop_size = 48
nb_erb = {BANDS}
nb_df = {LOW}
norm_tau = 1
min_nb_erb_freqs = 1
df_order = {ORDER}
df_lookahead = 1
[deepfilternet]
conv_lookahead = 2
conv_kernel_inp = 3,3
df_pathway_kernel_size_t = 5
"""
EMBEDDED = {"emb": [1, "S", HIDDEN], **{f"e{n}": [1, 1, "S", BANDS] for n in (3, 2, 1, 0)}}


def pad(frames):
    return np.array([0, 0, frames, 0, 0, 0, 0, 0], np.int64)


def encoder(random):
    """e0: three frames of the bands; c0: three frames of the low bins; emb: a GRU over e0."""
    node = handmade.node
    constants = {
        "p": pad(2), "k": random.standard_normal((1, 1, 3, 1)).astype(np.float32),
        "q": random.standard_normal((2, 2, 3, 1)).astype(np.float32), **handmade.gru(random, BANDS, HIDDEN),
    }  # fmt: skip
    nodes = [
        node("Pad", ["feat_erb", "p"], ["padded"]), node("Conv", ["padded", "k"], ["e0"], kernel_shape=[3, 1]),
        *(node("Identity", ["e0"], [f"e{n}"]) for n in (1, 2, 3)),
        node("Pad", ["feat_spec", "p"], ["wide"]), node("Conv", ["wide", "q"], ["c0"], kernel_shape=[3, 1]),
        node("Transpose", ["e0"], ["turned"], perm=[2, 0, 1, 3]), node("Squeeze", ["turned"], ["flat"], axes=[1]),
        node("GRU", ["flat", "w", "r", "b"], ["states"], hidden_size=HIDDEN), node("Squeeze", ["states"], ["row"], axes=[1]),
        node("Transpose", ["row"], ["emb"], perm=[1, 0, 2]), node("ReduceMean", ["emb"], ["lsnr"], axes=[2]),
    ]  # fmt: skip
    given = {"feat_erb": [1, 1, "S", BANDS], "feat_spec": [1, 2, "S", LOW]}
    return handmade.model(nodes, constants, given, {**EMBEDDED, "c0": [1, 2, "S", LOW], "lsnr": [1, "S", 1]})


def gains(random):
    """m: e0 and the mean of emb."""
    node = handmade.node
    nodes = [
        node("ReduceMean", ["emb"], ["mean"], axes=[2]), node("Unsqueeze", ["mean"], ["wide"], axes=[1]),
        node("Add", ["e0", "wide"], ["sum"]), node("Sigmoid", ["sum"], ["m"]),
    ]  # fmt: skip
    return handmade.model(nodes, {}, EMBEDDED, {"m": [1, 1, "S", BANDS]})


def taps(random):
    """coefs: five frames of c0."""
    constants = {"p": pad(4), "k": 0.1 * random.standard_normal((2 * ORDER, 2, 5, 1)).astype(np.float32)}
    nodes = [
        handmade.node("Pad", ["c0", "p"], ["padded"]),
        handmade.node("Conv", ["padded", "k"], ["found"], kernel_shape=[5, 1]),
        handmade.node("Transpose", ["found"], ["coefs"], perm=[0, 2, 3, 1]),
    ]
    given = {"emb": [1, "S", HIDDEN], "c0": [1, 2, "S", LOW]}
    return handmade.model(nodes, constants, given, {"coefs": [1, "S", LOW, 2 * ORDER]})


def files():
    random = np.random.default_rng(0)
    return {
        "enc.onnx": encoder(random),
        "erb_dec.onnx": gains(random),
        "df_dec.onnx": taps(random),
        "config.ini": SETTINGS.encode(),
    }


def archive(contents):
    """The bytes of a tar.gz in whose folders they lie."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as stream:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"tmp/export/{name}")
            member.size = len(content)
            stream.addfile(member, io.BytesIO(content))
    return whole.getvalue()
