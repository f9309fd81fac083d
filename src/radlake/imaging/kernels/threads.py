"""Kernels on several threads: a result is cut into parts that do not depend on each other.

One thread unless a caller asks for more, because the engine already gives every processor an image of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise

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
    _at_once(work, _cut(length, _pieces(), least))


def over_rows(shape: tuple[int, ...], work: Callable[[Limits], None], *, least: tuple[int, int] = (1, 1)) -> None:
    """Run `work` on parts of a volume, some of them at a time: on some rows of some planes.

    Parameters
    ----------
    shape : (z, y, x)
        Of the result; nothing is run where it is empty.
    work : callable
        As for `by_slabs`; takes the limits of its planes and rows.
    least : (planes, rows)
        As in `by_slabs`, for both. The axis that has room for more parts is cut first, the other one where that does
        not give enough.

    Examples
    --------
    >>> over_rows((1, 5, 7), print)
    (0, 1, 0, 5)
    """
    if 0 in shape:
        return
    wanted = _pieces()
    tall = shape[1] // least[1] > shape[0] // least[0]
    first, second = (1, 0) if tall else (0, 1)
    cuts = {first: _cut(shape[first], wanted, least[first])}
    cuts[second] = _cut(shape[second], -(-wanted // len(cuts[first])), least[second])
    parts = [(*planes, *rows) for planes in cuts[0] for rows in cuts[1]]
    _at_once(lambda *limits: work(limits), parts)


def _pieces() -> int:
    """Parts that work is cut into where it is long enough: one for one thread."""
    count = _COUNT.get()
    return 1 if count == 1 else _SLABS * count


def _cut(length: int, wanted: int, least: int) -> list[tuple[int, int]]:
    """Where equal slabs start and stop: at most so many, and not shorter than `least` unless there is one only."""
    slabs = max(1, min(wanted, length // least))
    edges = [length * i // slabs for i in range(slabs + 1)]
    return [*pairwise(edges)]


def _at_once(work: Callable[..., None], parts: Sequence[tuple[int, ...]]) -> None:
    """Run `work` on all parts, as many at a time as the context allows."""
    if len(parts) == 1:
        work(*parts[0])
        return
    with ThreadPoolExecutor(min(_COUNT.get(), len(parts))) as pool:
        for _ in pool.map(lambda part: work(*part), parts):
            pass
