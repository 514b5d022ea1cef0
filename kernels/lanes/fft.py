"""Fourier transforms of real frames, WIDTH of them at once: frame f in lane f, no lane sees another (see the head of this room).

The layout: z is one flat array of n_fft rows, and a row holds one sample of each frame. Rows are read in pairs, so that the
same numbers are n_fft real samples x or M = n_fft / 2 complex points z[n] = x[2 n] + i x[2 n + 1]:

        row     0      1      2      3     ...   n_fft - 1
               x[0]   x[1]   x[2]   x[3]          x[n_fft - 1]      each WIDTH numbers, lane after lane
               Re z0  Im z0  Re z1  Im z1         Im z[M - 1]

1. `transform` takes the M complex points in place, by decimation in frequency. M is a product of radices r = 4, 2 and 5. With
   w_L = exp(-2 pi i / L), j from 0 to s - 1 and s = L / r, a transform of length L splits into r of length s:

        Z[r k + q] = sum_j ( w_L^(j q) * sum_p z[j + p s] w_r^(p q) ) w_s^(j k)

               j ->                      the butterfly: a transform of r points that lie s apart,
        z:  |o    |o    |o    |o    |    its outputs q = 0 .. r - 1 times the twiddle factors w_L^(j q),
              s     s     s     s        put back where its inputs were
            |-----|-----|-----|-----|
              q=0   q=1   q=2   q=3      each quarter is now a transform of length s, by the next radix

   Z[k] ends where the digits of k stand in reverse: at order[k]. Long transforms go on with one part while it is in the cache.

2. `power` takes the spectrum of x from that of z. Even and odd samples have the spectra E and O of length M, Z = E + i O, and
   as both are of real numbers, E[k] = (Z[k] + Z*[M - k]) / 2 and O[k] = (Z[k] - Z*[M - k]) / 2i. Then, with w = w_(n_fft)^k,

        X[k] = E[k] + w O[k],        X[M - k] = (E[k] - w O[k])*

References: Gentleman & Sande (1966), "Fast Fourier transforms for fun and profit"; Sorensen et al. (1987), "Real-valued fast
Fourier transform algorithms".
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._jit import jit, part
from . import WIDTH, load, splat, store

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

RADICES = (4, 2, 5)
LARGEST = 8192  # samples: the rows of more leave the second-level cache
IN_CACHE = 256  # complex points whose rows fit into the first-level cache
POINT = 2 * WIDTH  # numbers in the two rows of a complex point

_QUARTER = np.float32(0.25)
_C1, _C2 = (np.float32(np.cos(2 * np.pi * k / 5)) for k in (1, 2))
_S1, _S2 = (np.float32(np.sin(2 * np.pi * k / 5)) for k in (1, 2))


class Plan(NamedTuple):
    """The tables of one n_fft, for kernels."""

    passes: Indices  # [n, 5]: first point, points, first stage, stage after the last, its first twiddle
    radices: Indices  # [stages]
    twiddles: Floats  # real and imaginary parts of w_L^(j q) by stage, j and q = 1 .. r - 1
    order: Indices  # [M] where Z[k] stands
    turns: Floats  # the parts of exp(-2 pi i k / n_fft) by k = 0 .. M // 2


@lru_cache(maxsize=16)
def plan(n_fft: int) -> Plan | None:
    """The Plan of n_fft; None where n_fft / 2 is not a product of RADICES, or too large."""
    points = n_fft // 2
    if n_fft % 2 or not 4 <= n_fft <= LARGEST or not (radices := _factors(points)):
        return None
    twiddles, length = [], points
    for radix in radices:
        powers = np.arange(length // radix)[:, None] * np.arange(1, radix)
        twiddles.append(_pairs(powers, length).reshape(-1))
        length //= radix
    turns = _pairs(np.arange(points // 2 + 1), n_fft).reshape(-1)
    return Plan(_passes(radices, points), np.array(radices), np.concatenate(twiddles), _order(radices), turns)


def _factors(points: int) -> list[int]:
    """The radices whose product is `points`; none where there are none."""
    found = []
    for radix in RADICES:
        while points % radix == 0:
            found.append(radix)
            points //= radix
    return found if points == 1 else []


def _pairs(powers: NDArray[Any], length: int) -> Floats:
    """exp(-2 pi i / length) to these powers [...], as [..., 2]."""
    angles = -2.0 * np.pi * (powers % length) / length
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def _order(radices: list[int]) -> Indices:
    """Where each frequency ends: r k + q in part q, at k's place in it."""
    order, stride = np.zeros(1, np.int64), 1
    for radix in reversed(radices):
        order = (order[:, None] + np.arange(radix) * stride).reshape(-1)
        stride *= radix
    return order


def _passes(radices: list[int], points: int) -> Indices:
    """Stages over all points while parts are too long for the cache; then part after part, all the stages left."""
    rows, length, stage, twiddle = [], points, 0, 0
    while length > IN_CACHE:
        rows += [(first, length, stage, stage + 1, twiddle) for first in range(0, points, length)]
        twiddle += 2 * (length - length // radices[stage])
        length //= radices[stage]
        stage += 1
    rows += [(first, length, stage, len(radices), twiddle) for first in range(0, points, length)]
    return np.array(rows)


@jit
def transform(z: Floats, plan: Plan) -> None:
    """Z[k] of the complex points in z, in place; it stands at point plan.order[k]."""
    for i in range(plan.passes.shape[0]):
        row = plan.passes[i]
        first, points, at, length = row[0], row[1], row[4], row[1]
        for radix in plan.radices[row[2] : row[3]]:
            stride, twiddles = length // radix, plan.twiddles[at:]
            if radix == 4:
                _fours(z, first, points, stride, twiddles)
            elif radix == 2:
                _twos(z, first, points, stride, twiddles)
            else:
                _fives(z, first, points, stride, twiddles)
            at += 2 * (radix - 1) * stride
            length = stride


@jit
def power(z: Floats, plan: Plan, out: Floats) -> None:
    """|X[k]|^2 of the real frames whose `transform` is in z: row k of out, which has n_fft / 2 + 1."""
    points = plan.order.shape[0]
    sums, differences = load(z, 0) + load(z, WIDTH), load(z, 0) - load(z, WIDTH)
    store(out, 0, sums * sums)
    store(out, points * WIDTH, differences * differences)
    for k in range(1, points // 2 + 1):
        ar, ai = _get(z, plan.order[k] * POINT)
        br, bi = _get(z, plan.order[points - k] * POINT)
        wr, wi = splat(plan.turns[2 * k]), splat(plan.turns[2 * k + 1])
        # Twice E and O, so a quarter of the squares.
        er, ei, qr, qi = ar + br, ai - bi, ai + bi, br - ar
        tr, ti = qr * wr - qi * wi, qr * wi + qi * wr
        _square(out, k * WIDTH, er + tr, ei + ti)
        _square(out, (points - k) * WIDTH, er - tr, ei - ti)


# The butterflies. Names: points a, b, c, d, e, their real and imaginary parts r and i.


@part
def _twos(z: Floats, first: int, points: int, stride: int, twiddles: Floats) -> None:
    """One stage of the transforms of length 2 * stride in points first..first + points - 1."""
    q = stride * POINT
    for start in range(first, first + points, 2 * stride):
        for j in range(stride):
            p = (start + j) * POINT
            ar, ai = _get(z, p)
            br, bi = _get(z, p + q)
            _put(z, p, ar + br, ai + bi)
            _turn(z, p + q, ar - br, ai - bi, twiddles, 2 * j)


@part
def _fours(z: Floats, first: int, points: int, stride: int, twiddles: Floats) -> None:
    """One stage of the transforms of length 4 * stride in points first..first + points - 1."""
    q = stride * POINT
    for start in range(first, first + points, 4 * stride):
        for j in range(stride):
            p = (start + j) * POINT
            ar, ai = _get(z, p)
            br, bi = _get(z, p + q)
            cr, ci = _get(z, p + 2 * q)
            dr, di = _get(z, p + 3 * q)
            # a and c, b and d: their sums s, their differences m; i (b - d) takes no product.
            sr, si, mr, mi = ar + cr, ai + ci, ar - cr, ai - ci
            tr, ti, nr, ni = br + dr, bi + di, bi - di, dr - br
            _put(z, p, sr + tr, si + ti)
            _turn(z, p + q, mr + nr, mi + ni, twiddles, 6 * j)
            _turn(z, p + 2 * q, sr - tr, si - ti, twiddles, 6 * j + 2)
            _turn(z, p + 3 * q, mr - nr, mi - ni, twiddles, 6 * j + 4)


@part
def _fives(z: Floats, first: int, points: int, stride: int, twiddles: Floats) -> None:
    """One stage of the transforms of length 5 * stride in points first..first + points - 1."""
    q, c1, c2, s1, s2 = stride * POINT, splat(_C1), splat(_C2), splat(_S1), splat(_S2)
    for start in range(first, first + points, 5 * stride):
        for j in range(stride):
            p = (start + j) * POINT
            ar, ai = _get(z, p)
            br, bi = _get(z, p + q)
            cr, ci = _get(z, p + 2 * q)
            dr, di = _get(z, p + 3 * q)
            er, ei = _get(z, p + 4 * q)
            # b and e have conjugate factors, c and d, too: sums go with the cosines, differences with the sines.
            br, bi, er, ei = br + er, bi + ei, br - er, bi - ei
            cr, ci, dr, di = cr + dr, ci + di, cr - dr, ci - di
            _put(z, p, ar + br + cr, ai + bi + ci)
            ur, ui, vr, vi = ar + br * c1 + cr * c2, ai + bi * c1 + ci * c2, ei * s1 + di * s2, er * s1 + dr * s2
            _turn(z, p + q, ur + vr, ui - vi, twiddles, 8 * j)
            _turn(z, p + 4 * q, ur - vr, ui + vi, twiddles, 8 * j + 6)
            ur, ui, vr, vi = ar + br * c2 + cr * c1, ai + bi * c2 + ci * c1, ei * s2 - di * s1, er * s2 - dr * s1
            _turn(z, p + 2 * q, ur + vr, ui - vi, twiddles, 8 * j + 2)
            _turn(z, p + 3 * q, ur - vr, ui + vi, twiddles, 8 * j + 4)


@part
def _get(z: Floats, at: int) -> tuple[Any, Any]:
    """The real and imaginary parts of a point."""
    return load(z, at), load(z, at + WIDTH)


@part
def _put(z: Floats, at: int, real: Any, imaginary: Any) -> None:
    store(z, at, real)
    store(z, at + WIDTH, imaginary)


@part
def _turn(z: Floats, at: int, real: Any, imaginary: Any, twiddles: Floats, k: int) -> None:
    """Put the product with the twiddle factor at k."""
    wr, wi = splat(twiddles[k]), splat(twiddles[k + 1])
    _put(z, at, real * wr - imaginary * wi, real * wi + imaginary * wr)


@part
def _square(out: Floats, at: int, real: Any, imaginary: Any) -> None:
    store(out, at, splat(_QUARTER) * (real * real + imaginary * imaginary))
