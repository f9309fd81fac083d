"""The contract of a reader: what `radlake.formats.READERS` lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from radlake.core.header import Header
from radlake.core.image import BoolArray, Image
from radlake.core.stage import Row


class Load(Protocol):
    """Pixels of one image from the members that make it up."""

    def __call__(self, members: Sequence[Row], image: Row, *, memory_bytes: int) -> Image:
        """`members`: rows of `instances` with uri, member_name and frames; `image`: the row of `images`."""
        ...


class LoadRegions(Protocol):
    """Masks on the grid of an image, with names that are safe to show."""

    def __call__(self, member: Row, image: Image, *, memory_bytes: int) -> list[tuple[str, BoolArray]]:
        """`member`: the row of `instances` (with uri) of the file that holds the regions."""
        ...


@dataclass(frozen=True)
class Reader:
    """One format.

    Parameters
    ----------
    name : str
        Goes to column `format`.
    suffixes : tuple of str
        Usual suffixes, lower case with the dot, without a closing ``.gz``.
    sniff : callable
        ``sniff(head, suffix) -> bool`` from the first 8 KiB.
    scan : callable
        ``scan(source) -> list[Header]`` without decoding pixels.
    load : callable or None
        See `Load`; None for formats that hold texts.
    load_regions : callable or None
        See `LoadRegions`; None where the format cannot hold regions.
    container : bool
        Holds files of other formats; its scan takes ``faults=``, a list for the problems of single members.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes, str], bool]
    scan: Callable[..., list[Header]]
    load: Load | None = None
    load_regions: LoadRegions | None = None
    container: bool = False


@dataclass(frozen=True)
class Lazy:
    """A function of a module that is imported at the first call, so that unused libraries cost nothing."""

    module: str
    function: str

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Call the function."""
        return getattr(import_module(self.module), self.function)(*args, **options)
