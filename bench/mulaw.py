"""Mu-law against torchaudio and NumPy, 60 s and 600 s at 16 kHz, two threads each; the codes are compared first.

At 60 s the peers' times depend on the state of the process: torchaudio's on whether its threads got a core each (1.5 to
9 ms), NumPy's on whether malloc has kept pages for its temporaries (1.4 to 7 ms). Ours stays on one thread there.
"""

from typing import Any

import numpy as np
import torch
from audiocli.kernels import mulaw
from numpy.typing import NDArray
from torchaudio import functional

from bench._common import Row, side_by_side

MU = 255
THREADS = 2
SAMPLE_RATE = 16000
SECONDS = (60, 600)
REPEATS = 21  # more than elsewhere, because the shortest calls take 0.2 ms


def noise(seconds: int) -> NDArray[np.float32]:
    """Speech-like loudness: normal, 0.2 RMS, clipped to [-1, 1]. Returns [samples]."""
    samples = 0.2 * np.random.default_rng(0).standard_normal(seconds * SAMPLE_RATE, np.float32)
    return np.asarray(samples.clip(-1, 1), np.float32)


def numpy_encode(x: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The formula as one would write it, all in float32."""
    x = np.clip(x, -1, 1)
    y = np.sign(x) * np.log1p(np.float32(MU) * np.abs(x)) / np.log1p(np.float32(MU))
    return np.asarray((y + 1) / 2 * MU + np.float32(0.5), np.uint8)


def as_float(x: NDArray[np.int16]) -> NDArray[np.float32]:
    """int16 to [-1, 1)."""
    return x.astype(np.float32) / np.float32(32768)


def numpy_encode_int16(x: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The same for int16."""
    return numpy_encode(as_float(x))


def exact_codes(x: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The float64 definition."""
    y = np.sign(x) * np.log1p(MU * np.abs(x.astype(np.float64))) / np.log1p(MU)
    return np.asarray(np.floor((y + 1) / 2 * MU + 0.5), np.uint8)


def compared(ours: NDArray[Any], exact: NDArray[Any], peer: NDArray[Any]) -> str:
    """The number of the peer's codes that are wrong; an error if one of ours is."""
    np.testing.assert_array_equal(ours, exact)
    difference = np.abs(peer.astype(int) - exact)
    if difference.max() > 1:
        raise AssertionError(f"codes of the peer differ by {difference.max()}")
    return f"codes not equal to the float64 definition: ours 0, peer {np.count_nonzero(difference)} of {exact.size}"


def row(what: str, times: list[float], peer_name: str, wanted: float, note: str) -> Row:
    """times: our median seconds and the peer's."""
    ours, peer = times
    return Row(what, ours, peer_name, peer, f">= {wanted:g}x", peer / ours >= wanted, note)


def encode_rows(seconds: int) -> list[Row]:
    """float32 and int16 encode."""
    x = noise(seconds)
    tensor = torch.from_numpy(x)
    x16 = (x * 32767).astype(np.int16)
    codes, exact = mulaw.encode(x, threads=THREADS), exact_codes(x)
    codes16, exact16 = mulaw.encode(x16, threads=THREADS), exact_codes(as_float(x16))
    torch_note = compared(codes, exact, functional.mu_law_encoding(tensor, MU + 1).numpy())
    numpy_note = compared(codes, exact, numpy_encode(x))
    int16_note = compared(codes16, exact16, numpy_encode_int16(x16))

    def ours() -> object:
        return mulaw.encode(x, threads=THREADS)

    against_torch = side_by_side(ours, lambda: functional.mu_law_encoding(tensor, MU + 1), repeats=REPEATS)
    against_numpy = side_by_side(ours, lambda: numpy_encode(x), repeats=REPEATS)
    against_int16 = side_by_side(
        lambda: mulaw.encode(x16, threads=THREADS), lambda: numpy_encode_int16(x16), repeats=REPEATS
    )
    what = f"mu-law encode, {{}}, {seconds} s"
    return [
        row(what.format("float32"), against_torch, "torchaudio", 10, torch_note),
        row(what.format("float32"), against_numpy, "NumPy float32", 5, numpy_note),
        row(what.format("int16"), against_int16, "NumPy float32", 5, int16_note),
    ]


def decode_row(seconds: int) -> Row:
    """Decode; torchaudio gets the int64 codes that its own encoder returns."""
    codes = mulaw.encode(noise(seconds))
    tensor = torch.from_numpy(codes.astype(np.int64))
    peer = functional.mu_law_decoding(tensor, MU + 1).numpy()
    ours = mulaw.decode(codes, threads=THREADS)
    np.testing.assert_array_equal(ours, mulaw.decode(np.arange(MU + 1))[codes])
    np.testing.assert_allclose(ours, peer, rtol=2e-6, atol=1e-7)
    times = side_by_side(
        lambda: mulaw.decode(codes, threads=THREADS),
        lambda: functional.mu_law_decoding(tensor, MU + 1),
        repeats=REPEATS,
    )
    note = f"largest difference {np.abs(ours - peer).max():.1e} (the peer's float32 rounding)"
    return row(f"mu-law decode, {seconds} s", times, "torchaudio", 10, note)


def rows() -> list[Row]:
    """All rows, with torch on as many threads as we."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        return [line for seconds in SECONDS for line in [*encode_rows(seconds), decode_row(seconds)]]
    finally:
        torch.set_num_threads(before)


if __name__ == "__main__":
    for line in rows():
        print(f"{line.what}: {line.ours * 1e3:.2f} ms, {line.peer_name} {line.peer * 1e3:.2f} ms,", end=" ")
        print(f"{line.ratio:.1f}x (want {line.target}{'' if line.reached else ', MISSED'}); {line.note}")
