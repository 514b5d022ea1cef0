"""The vector type that kernels are written with, at the width of this processor and at others."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from audiocli.kernels.lanes import WIDTH, gather_tile, load, scatter_tile, splat, store


@numba.njit
def combined(x, y, out):
    store(out, 1, load(x, 0) * load(y, 2) + splat(np.float32(0.5)) - load(x, 1))


@numba.njit
def gathered(source, starts, at, factors, rows, to):
    gather_tile(source, starts, at, factors, rows, to)


@numba.njit
def scattered(rows, at, out, starts, to):
    scatter_tile(rows, at, out, starts, to)


def numbers(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def test_arithmetic_at_any_place():
    x, y, out = numbers(WIDTH + 1), numbers(WIDTH + 2, 1), np.zeros(WIDTH + 2, np.float32)
    combined(x, y, out)
    np.testing.assert_allclose(out[1:-1], x[:-1] * y[2:] + 0.5 - x[1:], rtol=1e-6, atol=1e-6)
    assert out[0] == out[-1] == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_a_tile_of_frames_turns_into_lanes(dtype):
    source = (1_000 * numbers(20 * WIDTH)).astype(dtype)
    starts, factors = np.random.default_rng(1).permutation(WIDTH) * 3, numbers(2 * WIDTH, 2)
    rows = np.zeros(WIDTH * WIDTH + 2, np.float32)
    gathered(source, starts, 5, factors, rows, 1)
    steps = np.arange(5, 5 + WIDTH)
    expected = source[starts[None, :] + steps[:, None]].astype(np.float32) * factors[steps][:, None]
    np.testing.assert_array_equal(rows[1:-1].reshape(WIDTH, WIDTH), expected)
    assert rows[0] == rows[-1] == 0.0


def test_a_tile_of_lanes_turns_into_frames():
    rows, out = numbers(WIDTH * WIDTH + 3), np.zeros((WIDTH, WIDTH + 4), np.float32)
    starts = np.arange(WIDTH) * out.shape[1]
    scattered(rows, 3, out.reshape(-1), starts, 2)
    np.testing.assert_array_equal(out[:, 2:-2], rows[3:].reshape(WIDTH, WIDTH).T)
    assert not out[:, :2].any()
    assert not out[:, -2:].any()


def test_tiles_take_no_other_type():
    with pytest.raises(numba.TypingError):
        gathered(np.zeros(9 * WIDTH), np.zeros(WIDTH, np.int64), 0, numbers(WIDTH), numbers(WIDTH * WIDTH), 0)


CODE = """
import numpy as np
from audiocli.kernels import lanes, mel, spectral
x = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
framing = spectral.Framing(400, 160, mel.window('hann', 400))
bank = mel.sparse(mel.filterbank(16000, 400, 80, 0.0, 8000.0))
values = spectral.analyse(x, framing, bank=bank, padding='reflect').mel
"""


@pytest.mark.parametrize(
    ("features", "width"),
    [
        ("+avx2,+avx,+fma", 8),
        pytest.param("+sse2", 4, marks=pytest.mark.slow),
        pytest.param("+avx512f,+avx2,+avx,+fma", 16, marks=pytest.mark.slow),
    ],
)
def test_another_processor_gives_the_same_features(features, width, tmp_path):
    """Narrower registers mean fewer lanes, not other numbers (a fused product and sum is rounded once, not twice)."""
    if width > WIDTH:
        pytest.skip(f"this processor has {WIDTH} lanes")
    here: dict = {}
    exec(CODE, here)
    told = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    code = CODE + f"print(lanes.WIDTH); np.save({str(tmp_path / 'values.npy')!r}, values)"
    run = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | told, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) == width
    np.testing.assert_allclose(np.load(tmp_path / "values.npy"), here["values"], rtol=1e-5)
