"""Mu-law companding: samples to codes and back, for any mu = 2**n - 1, exact to the last code.

mu = 255 is the compression curve of telephony (ITU-T G.711) in its smooth form, as van den Oord et al. use it in
"WaveNet: A Generative Model for Raw Audio" (2016) and torchaudio in mu_law_encoding. In float64, with x clipped to
[-1, 1] and NaN taken as silence (0):

    y = sign(x) * log1p(mu * |x|) / log1p(mu)        code = floor((y + 1) / 2 * mu + 0.5)

No logarithm is taken per sample. The code is a step function that never falls as x rises, so it is known once the
mu float32 numbers are known at which it steps; these are found once per mu, by bisection. Each is far enough from its
step (for every mu, 100 float64 roundings or more) that the last bits of another library's log1p would not move it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

MUS = tuple(2**bits - 1 for bits in range(1, 17))
FULL_SCALE = 32768  # an int16 sample divided by this lies in [-1, 1)
SAMPLES_PER_THREAD = 1 << 20  # 0.3 ms of work: for less, waking a thread costs as much as it saves
BLOCK = 512  # samples that stay in the first-level cache together with their entries (4 KiB)

Kernel = Callable[[NDArray[Any], NDArray[Any]], None]  # reads a flat array and fills another of the same length

# As uint32, because numba would widen to 64 bits with a plain int and then half as many samples fit a vector.
SIGN = np.uint32(0x8000_0000)
MAGNITUDE = np.uint32(0x7FFF_FFFF)
INFINITY = np.uint32(0x7F80_0000)  # a magnitude above this is a NaN
ALL = np.uint32(0xFFFF_FFFF)
ZERO = np.uint32(0)
ONE = np.uint32(1)
BYTE = np.uint32(0xFF)
WIDEST_SHIFT = np.uint32(31)


def encode(x: NDArray[Any], mu: int = 255, threads: int = 1) -> NDArray[Any]:
    """Mu-law codes 0..mu of samples, identical to the float64 definition above.

    x: float32 in [-1, 1], or int16 (full scale 32768), of any shape [...]. Beyond +-1, and +-inf, is clipped; NaN gets
    the code of 0, which is (mu + 1) / 2. Returns uint8 [...], or uint16 [...] where mu > 255.
    ValueError: mu is not 2**n - 1 with n in 1..16, x has another dtype, or threads < 1.
    """
    mu = _checked(mu, threads)
    x = np.asarray(x)
    codes = np.empty(x.size, _code_type(mu))
    samples = np.ascontiguousarray(x).reshape(-1)
    if x.dtype == np.float32:
        _in_parts(_encoder(mu), samples.view(np.uint32), codes, threads)
    elif x.dtype == np.int16:
        _in_parts(_table_encoder(mu), samples.view(np.uint16), codes, threads)
    else:
        raise ValueError(f"mu-law encodes float32 or int16 samples, not {x.dtype}")
    return codes.reshape(x.shape)


def decode(codes: NDArray[Any], mu: int = 255, threads: int = 1) -> NDArray[np.float32]:
    """Samples in [-1, 1] of mu-law codes, as torchaudio's mu_law_decoding but rounded once, from float64.

    codes: integers 0..mu of any dtype and shape [...]; returns float32 [...].
    ValueError: mu is not 2**n - 1 with n in 1..16, codes are not integers or outside 0..mu, or threads < 1.
    """
    mu = _checked(mu, threads)
    codes = np.asarray(codes)
    _check_codes(codes, mu)
    flat = np.ascontiguousarray(codes, _code_type(mu)).reshape(-1)
    x = np.empty(flat.size, np.float32)
    _in_parts(_byte_decoder(mu) if flat.itemsize == 1 else _word_decoder(mu), flat, x, threads)
    return x.reshape(codes.shape)


@lru_cache(maxsize=len(MUS))
def thresholds(mu: int) -> NDArray[np.float32]:
    """The smallest float32 that gets each of the codes 1..mu. Returns [mu], rising.

    Bisection over the float32 numbers in order, all codes at once: -1 has code 0 and 1 has code mu, so `above` starts
    at a number that reaches the code and `below` at one that does not.
    """
    codes = np.arange(1, mu + 1)
    below = _to_keys(np.full(mu, -1, np.float32))
    above = _to_keys(np.full(mu, 1, np.float32))
    while (above - below > 1).any():
        middle = (above + below) // 2
        reached = _definition(_from_keys(middle), mu) >= codes
        above = np.where(reached, middle, above)
        below = np.where(reached, below, middle)
    return _from_keys(above)


def _definition(x: NDArray[Any], mu: int) -> NDArray[np.float64]:
    """The code of each x in [-1, 1], by the formula at the head of this file."""
    x = x.astype(np.float64)
    y = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    codes: NDArray[np.float64] = np.floor((y + 1) / 2 * mu + 0.5)
    return codes


def _to_keys(x: NDArray[np.float32]) -> NDArray[np.int64]:
    """The rank of each float32 when all are sorted: 0 and up for those >= 0, negative for the others."""
    bits = x.view(np.int32).astype(np.int64)
    return np.where(bits < 0, bits ^ int(MAGNITUDE), bits)


def _from_keys(keys: NDArray[np.int64]) -> NDArray[np.float32]:
    """The inverse of _to_keys."""
    return np.where(keys < 0, keys ^ int(MAGNITUDE), keys).astype(np.int32).view(np.float32)


def _entries(mu: int) -> tuple[NDArray[np.uint32], np.uint32]:
    """A table over the high bits of a float32, and how far to shift its bits down for the index.

    Cells of equal high bits are made so small that at most one threshold falls into each. Let `rise` be the low bits,
    inverted for a negative number, so that they rise with it. Then its code is
        (entry + rise) >> shift,   entry = (code below the threshold << shift) + (distance from there to the cell's end)
    where the sum carries into the code exactly for the numbers that have reached the threshold. The code takes n bits
    and the low bits about 27 - n of the 32, so the sum fits 32 bits.
    """
    steps = _to_keys(thresholds(mu)) + int(SIGN)
    shift = next(shift for shift in range(22, 0, -1) if np.all(np.diff(steps >> shift) > 0))
    cells, size, count = steps >> shift, 1 << shift, 1 << (32 - shift)
    entries = np.repeat(np.arange(mu + 1), np.diff(cells, prepend=-1, append=count - 1)) << shift
    entries[cells] += size - steps % size
    negative, positive = np.split(entries, 2)  # the bits of a negative float32 have a 1 on top and rise as it falls
    return np.concatenate([positive, negative[::-1]]).astype(np.uint32), np.uint32(shift)


def _values(mu: int) -> NDArray[np.float32]:
    """The sample of each code, by torchaudio's formula in float64. Returns [mu + 1]."""
    y = np.arange(mu + 1) / mu * 2 - 1
    x = np.sign(y) * (np.exp(np.abs(y) * np.log1p(mu)) - 1) / mu
    return np.asarray(x, np.float32)


@lru_cache(maxsize=len(MUS))
def _encoder(mu: int) -> Kernel:
    """Bits of float32 as uint32 to codes."""
    entries, shift = _entries(mu)
    middle = np.uint32((mu + 1) // 2)
    return lambda bits, codes: _step(bits, entries, shift, middle, codes)


@lru_cache(maxsize=len(MUS))
def _table_encoder(mu: int) -> Kernel:
    """Bits of int16 as uint16 to codes."""
    x = np.arange(65536, dtype=np.uint16).view(np.int16) / FULL_SCALE
    table = _definition(x, mu).astype(_code_type(mu))
    return lambda bits, codes: _look_up(bits, table, codes)


@lru_cache(maxsize=len(MUS))
def _word_decoder(mu: int) -> Kernel:
    """uint16 codes to samples: one look-up for each."""
    table = _values(mu)
    return lambda codes, x: _look_up(codes, table, x)


@lru_cache(maxsize=len(MUS))
def _byte_decoder(mu: int) -> Kernel:
    """uint8 codes to samples: four at a time while there are four.

    Numba runs on little-endian machines only, so the first of two samples is the low half of their uint64.
    """
    table = _values(mu)
    first = table.view(np.uint32).astype(np.uint64)
    second = first << np.uint64(32)

    def decode_part(codes: NDArray[Any], x: NDArray[Any]) -> None:
        whole = codes.size // 4 * 4
        _look_up_fours(codes[:whole].view(np.uint32), first, second, x[:whole].view(np.uint64))
        _look_up(codes[whole:], table, x[whole:])

    return decode_part


def _checked(mu: int, threads: int) -> int:
    if mu not in MUS:
        raise ValueError(f"mu must be 2**n - 1 with n from 1 to 16 (255 is usual), not {mu}")
    if threads < 1:
        raise ValueError(f"threads must be 1 or more, not {threads}")
    return int(mu)


def _check_codes(codes: NDArray[Any], mu: int) -> None:
    if codes.dtype.kind not in "iu":
        raise ValueError(f"mu-law codes are integers, not {codes.dtype}")
    if codes.size == 0 or (codes.dtype.kind == "u" and mu == np.iinfo(codes.dtype).max):  # every value is a code
        return
    low, high = codes.min(), codes.max()
    if low < 0 or high > mu:
        raise ValueError(f"mu-law codes must lie in 0..{mu}, but these reach from {low} to {high}")


def _code_type(mu: int) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if mu <= 255 else np.uint16


def _in_parts(kernel: Kernel, source: NDArray[Any], out: NDArray[Any], threads: int) -> None:
    """Run kernel(source part, out part) over both flat arrays, on several threads where that is worth it."""
    parts = min(threads, source.size // SAMPLES_PER_THREAD)
    if parts <= 1:
        kernel(source, out)
        return
    step = -(-source.size // parts)
    cuts = [slice(start, start + step) for start in range(0, source.size, step)]
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(lambda cut: kernel(source[cut], out[cut]), cuts))


@jit
def _step(
    bits: NDArray[np.uint32], entries: NDArray[np.uint32], shift: np.uint32, middle: np.uint32, codes: NDArray[Any]
) -> None:
    """Codes [n] of float32 samples given as their bits [n], as _entries explains; NaN becomes `middle`.

    Two loops over a short block, because the second then runs on vectors: fused, the look-up would keep the compiler
    from it, and that takes 2.5 times as long.
    """
    shift = np.uint32(shift & WIDEST_SHIFT)  # changes nothing, but shows the compiler that 32-bit shifts will do
    low_bits = np.uint32((ONE << shift) - ONE)
    looked_up = np.empty(BLOCK, np.uint32)
    for start in range(0, bits.size, BLOCK):
        block = bits[start : start + BLOCK]
        out = codes[start : start + BLOCK]
        for i in range(block.size):
            looked_up[i] = entries[block[i] >> shift]
        for i in range(block.size):
            rise = np.uint32((block[i] ^ (ALL if block[i] & SIGN else ZERO)) & low_bits)
            code = np.uint32(np.uint32(looked_up[i] + rise) >> shift)
            out[i] = middle if np.uint32(block[i] & MAGNITUDE) > INFINITY else code


@jit
def _look_up(indices: NDArray[Any], table: NDArray[Any], out: NDArray[Any]) -> None:
    """out[i] = table[indices[i]] for unsigned indices [n]."""
    for i in range(indices.size):
        out[i] = table[indices[i]]


@jit
def _look_up_fours(
    fours: NDArray[np.uint32], first: NDArray[np.uint64], second: NDArray[np.uint64], pairs: NDArray[np.uint64]
) -> None:
    """_look_up for bytes, four in a uint32 [n], into pairs of float32 as uint64 [2 n].

    One load of four codes and a store of two samples take a third less time than single ones.
    """
    for i in range(fours.size):
        codes = fours[i]
        pairs[2 * i] = first[codes & BYTE] | second[(codes >> np.uint32(8)) & BYTE]
        pairs[2 * i + 1] = first[(codes >> np.uint32(16)) & BYTE] | second[codes >> np.uint32(24)]
