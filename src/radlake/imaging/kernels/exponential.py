"""Powers of two for vectorised loops: the compiler has no vector form of `exp` of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import types
from numba.extending import intrinsic

from radlake.imaging.kernels.compiled import part

Function = TypeVar("Function", bound=Callable[..., Any])

_LEAST = np.float32(-126.0)  # the least normal exponent; what lies below counts as much as 1e-38
_ROUND = np.float32(3 << 22)  # added to a small number, its last bits are that number rounded to an integer
_ONE = np.int32(127 << 23)  # the bits of 1.0
_EXPONENT = np.int32(23)  # bits below the exponent
# Minimax fit of 2**f for f from -0.5 to 0.5 that is exact at 0; greatest relative error 9.1e-8.
_C0, _C1, _C2, _C3, _C4, _C5 = (
    np.float32(c) for c in (1.0, 0.693146978, 0.240222421, 0.0555073374, 0.00967151267, 0.00132647271)
)


def _typed(function: Function) -> Function:
    """What numba calls an intrinsic, keeping the Python signature for the type checker."""
    return cast(Function, intrinsic(function))


@_typed
def _bits_of(_context: Any, value: Any) -> Any:
    """The bits of a float32 as an int32."""
    signature = types.int32(types.float32)
    return signature, lambda context, builder, sig, args: builder.bitcast(
        args[0], context.get_value_type(sig.return_type)
    )


@_typed
def _float_of(_context: Any, bits: Any) -> Any:
    """The float32 with these bits."""
    signature = types.float32(types.int32)
    return signature, lambda context, builder, sig, args: builder.bitcast(
        args[0], context.get_value_type(sig.return_type)
    )


@part
def power_of_two(exponent: np.float32) -> np.float32:
    """2 ** exponent for float32 up to 127, relative error below 2e-7; NaN for NaN.

    Only additions, multiplications and shifts in a stated order: the same bits on every processor.

    References
    ----------
    Muller (2016), Elementary Functions, 3rd ed., section 4.2 (range reduction) and chapter 3 (polynomials).

    Examples
    --------
    >>> from radlake.imaging.kernels.compiled import compiled
    >>> @compiled("float32(float32)")
    ... def quarter(x):
    ...     return power_of_two(x)
    >>> quarter(np.float32(-2.0))
    0.25
    """
    kept = _LEAST if exponent < _LEAST else exponent
    shifted = kept + _ROUND
    whole = shifted - _ROUND
    rest = kept - whole
    fraction = _C0 + rest * (_C1 + rest * (_C2 + rest * (_C3 + rest * (_C4 + rest * _C5))))
    scale = _float_of(np.int32((_bits_of(shifted) << _EXPONENT) + _ONE))  # type: ignore[call-arg]
    return np.float32(fraction * scale)
