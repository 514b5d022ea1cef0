"""Lanes: a type for kernels whose values are WIDTH numbers side by side, one of each of WIDTH frames, in one vector register.

    z[row * WIDTH + lane]        frame:   0   1   2  ...  WIDTH - 1
                        row 0            x0  x0  x0            x0      load(z, 0)
                        row 1            x1  x1  x1            x1      load(z, WIDTH)

Written with it, an algorithm for one frame is one for WIDTH frames at once: `load(z, p) + load(z, q)` adds their values at p
and q. Nothing is left to the compiler's vectoriser, which gives up where two arrays may overlap or an index may be negative,
and no lane sees another, so that a frame gives the same bits whichever frames lie beside it. Tiles of WIDTH by WIDTH turn
between frames in rows and frames in lanes, in registers.
"""

import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import llvmlite.binding
import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba import types
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def _width() -> int:
    """Float32 numbers in one register of this processor (or of the one whose features numba was told to use)."""
    told = getattr(numba.config, "CPU_FEATURES")  # noqa: B009 - its settings are made at import, unseen by mypy
    features = llvmlite.binding.get_host_cpu_features().flatten() if told is None else told
    return 16 if "+avx512f" in features else 8 if "+avx" in features else 4


WIDTH = _width()

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_INDEX = ir.IntType(32)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


LANES = _Lanes()


@numba.extending.register_model(_Lanes)
class _LanesModel(numba.extending.models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]  # numba's has no types


def _operator(symbol: Callable[..., Any], instruction: str) -> None:
    """Make `symbol` of two Lanes one instruction; contract: a product and a sum may be rounded once."""

    def typer(context: Any) -> Callable[[Any, Any], Any]:
        return lambda x, y: LANES if x is LANES and y is LANES else None

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments, flags=("contract",))

    numba.extending.type_callable(symbol)(typer)
    numba.extending.lower_builtin(symbol, _Lanes, _Lanes)(lower)  # type: ignore[no-untyped-call]  # the same


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")

# Functions for kernels; each stands for the instructions that its inner function writes.
intrinsic = cast(Callable[[Callable[..., Any]], Callable[..., Any]], numba.extending.intrinsic)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """The address of a value of an array [n]."""
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _load(builder: Any, pointer: Any) -> Any:
    """WIDTH values from an address on, as float32."""
    element = pointer.type.pointee
    whole = isinstance(element, ir.IntType)
    kind = ir.VectorType(element, WIDTH)
    values = builder.load(builder.bitcast(pointer, kind.as_pointer()), align=element.width // 8 if whole else 4)
    return builder.sitofp(values, _VECTOR) if whole else values


def _store(builder: Any, vector: Any, pointer: Any) -> None:
    builder.store(vector, builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)


def _splat(builder: Any, value: Any) -> Any:
    zero = ir.Constant(_INDEX, 0)
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, zero)
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INDEX, WIDTH), [0] * WIDTH))


def _turned(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """The transposed of WIDTH vectors: the two off-diagonal quarters change places, then those of each quarter, and so on."""
    rows, size = list(rows), WIDTH // 2
    lanes = range(WIDTH)
    while size:
        # Of the 2 WIDTH lanes of a pair of rows: in each block of 2 size lanes, the halves that belong to the first row.
        first = [i if not i & size else WIDTH + i - size for i in lanes]
        masks = [ir.Constant(ir.VectorType(_INDEX, WIDTH), [i + shift for i in first]) for shift in (0, size)]
        for i in (i for i in lanes if not i & size):
            pair = rows[i], rows[i + size]
            rows[i], rows[i + size] = (builder.shuffle_vector(*pair, mask) for mask in masks)
        size //= 2
    return rows


@intrinsic
def load(context: Any, values: Any, at: Any) -> Any:
    """Lanes from values[at] on."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _load(builder, _pointer(target, builder, signature.args[0], *arguments))

    return LANES(values, types.intp), code


@intrinsic
def store(context: Any, values: Any, at: Any, lanes: Any) -> Any:
    """Put lanes into values from values[at] on."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _store(builder, arguments[2], _pointer(target, builder, signature.args[0], *arguments[:2]))
        return target.get_dummy_value()

    return types.void(values, types.intp, LANES), code


@intrinsic
def splat(context: Any, value: Any) -> Any:
    """Lanes that all hold one number."""
    return LANES(types.float32), lambda target, builder, signature, arguments: _splat(builder, arguments[0])


@intrinsic
def gather_tile(context: Any, source: Any, starts: Any, at: Any, factors: Any, rows: Any, to: Any) -> Any:
    """rows[to + i * WIDTH + lane] = source[starts[lane] + at + i] * factors[at + i], for i from 0 to WIDTH - 1.

    source: float32, or int16 that count as their values.
    """
    if source.dtype not in (types.float32, types.int16):
        return None

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        frames, first, where, weights, out, place = _addresses(target, builder, signature, arguments)
        vectors = []
        for lane in range(WIDTH):
            begin = builder.add(builder.load(first(_constant(lane))), where)
            vectors.append(_load(builder, frames(begin)))
        for i, row in enumerate(_turned(builder, vectors)):
            weight = _splat(builder, builder.load(weights(builder.add(where, _constant(i)))))
            _store(builder, builder.fmul(row, weight), out(builder.add(place, _constant(i * WIDTH))))
        return target.get_dummy_value()

    return types.void(source, starts, types.intp, factors, rows, types.intp), code


@intrinsic
def scatter_tile(context: Any, rows: Any, at: Any, out: Any, starts: Any, to: Any) -> Any:
    """out[starts[lane] + to + i] = rows[at + i * WIDTH + lane], for i from 0 to WIDTH - 1."""

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, where, frames, first, place = _addresses(target, builder, signature, arguments)
        vectors = [_load(builder, source(builder.add(where, _constant(i * WIDTH)))) for i in range(WIDTH)]
        for lane, frame in enumerate(_turned(builder, vectors)):
            _store(builder, frame, frames(builder.add(builder.load(first(_constant(lane))), place)))
        return target.get_dummy_value()

    return types.void(rows, types.intp, out, starts, types.intp), code


def _addresses(target: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """For each array [n] among the arguments, the function from an index to an address; numbers as they are."""
    pairs = zip(signature.args, arguments, strict=True)
    return [
        partial(_pointer, target, builder, kind, value) if isinstance(kind, types.Array) else value
        for kind, value in pairs
    ]


def _constant(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)
