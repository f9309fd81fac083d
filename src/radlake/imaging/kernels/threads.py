"""Kernels on several threads: a result is cut into slabs that do not depend on each other.

One thread unless a caller asks for more, because the engine already gives every processor an image of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from radlake.core.image import Array

Limits = tuple[int, int, int, int]  # first plane, plane after the last, first row, row after the last

_COUNT: ContextVar[int] = ContextVar("radlake.imaging.threads", default=1)
_SLABS = 4  # per thread: a thread that was held up leaves its share to the others


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Context in which kernels of this room use up to so many threads; the bits of a result do not depend on it.

    Parameters
    ----------
    count : int
        At least 1, which is also the number outside of any such context.

    Raises
    ------
    ValueError
        For less than one thread.

    Examples
    --------
    >>> with threads(2):
    ...     print(_COUNT.get())
    2
    """
    if count < 1:
        raise ValueError(f"expected at least one thread, got {count}")
    token = _COUNT.set(int(count))
    try:
        yield
    finally:
        _COUNT.reset(token)


def by_slabs(work: Callable[[int, int], None], length: int, *, least: int = 1) -> None:
    """Run `work(start, stop)` for slabs that make up `range(length)`, at once as far as the context allows.

    Parameters
    ----------
    work : callable
        Releases the GIL and writes to its own slab of the result alone; whatever it returns is dropped.
    length : int
        Planes, rows or tiles of the result.
    least : int
        Fewest of them that are worth a call: a kernel that starts a slab by summing up k planes wants several times k.

    Examples
    --------
    >>> by_slabs(lambda start, stop: print(start, stop), 5)
    0 5
    """
    count = _COUNT.get()
    slabs = 1 if count == 1 else max(1, min(_SLABS * count, length // least))
    edges = [length * i // slabs for i in range(slabs + 1)]
    if slabs == 1:
        work(0, length)
        return
    with ThreadPoolExecutor(min(count, slabs)) as pool:
        for _ in pool.map(work, edges[:-1], edges[1:]):
            pass


def over_slabs(work: Callable[[Array, Array], None], padded: Array, out: Array, *, least: int = 1) -> None:
    """Run `work(padded, out)` on slabs of a filter's input and result, along z, or along y where there is one plane.

    Parameters
    ----------
    work : callable
        Fills `out` from `padded`, both C-contiguous; releases the GIL.
    padded : (Z + kz - 1, Y + ky - 1, X + kx - 1) array
    out : (Z, Y, X) array
    least : int
        As in `by_slabs`.

    Examples
    --------
    >>> out = np.zeros((1, 2, 2))
    >>> over_slabs(lambda a, b: b.fill(len(a[0])), np.zeros((1, 4, 4)), out)
    >>> out.tolist()
    [[[4.0, 4.0], [4.0, 4.0]]]
    """
    axis = 0 if len(out) > 1 else 1
    reach = padded.shape[axis] - out.shape[axis]

    def run(start: int, stop: int) -> None:
        before = (slice(None),) * axis
        part = np.ascontiguousarray(padded[(*before, slice(start, stop + reach))])
        work(part, out[(*before, slice(start, stop))])

    by_slabs(run, out.shape[axis], least=least)


def over_rows(shape: tuple[int, ...], work: Callable[[Limits], None]) -> None:
    """Run `work` on the planes of a volume, some of them at a time, or on the rows of its only plane.

    Parameters
    ----------
    shape : (z, y, x)
        Of the result; nothing is run where it is empty.
    work : callable
        As for `by_slabs`; takes the limits of its planes and rows.

    Examples
    --------
    >>> over_rows((1, 5, 7), print)
    (0, 1, 0, 5)
    """
    depth, rows, width = shape
    if depth * rows * width == 0:
        return
    if depth > 1:
        by_slabs(lambda start, stop: work((start, stop, 0, rows)), depth)
    else:
        by_slabs(lambda start, stop: work((0, 1, start, stop)), rows)
