"""How kernels are compiled: for stated types, cached where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numba.extending
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(*signatures: str) -> Callable[[Function], Function]:
    """Decorator that compiles a function for exactly these argument types and keeps the machine code.

    Numba writes beside the source, or into the user's cache folder where the installation is read-only. Where neither
    can be written, the kernel is compiled in each process.

    Examples
    --------
    >>> @compiled("int64(int64)")
    ... def twice(x: int) -> int:
    ...     return 2 * x
    >>> twice(21)
    42
    """

    def decorate(function: Function) -> Function:
        def build(cache: bool) -> Function:
            jit = numba.njit(list(signatures), cache=cache, nogil=True, error_model="numpy")
            return cast(Function, jit(function))

        try:
            return build(True)
        except RuntimeError:  # numba finds no folder to write to
            return build(False)

    return decorate


def part(function: Function) -> Function:
    """Decorator for a piece of a kernel: compiled with the kernels that call it, for their types."""
    return cast(Function, numba.extending.register_jitable(error_model="numpy")(function))


@part
def copy(source: NDArray[Any], target: NDArray[Any]) -> None:
    """Copy all of `source` into the beginning of `target`: numba's own slice assignment is not vectorised."""
    for x in range(source.size):
        target[x] = source[x]
