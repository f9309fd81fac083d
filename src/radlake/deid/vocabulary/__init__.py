"""The closed lists: what a string may say and still enter a lake. Data, with links to where it comes from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Words(NamedTuple):
    """Lower-case words of a list, and those of them that are people's names too."""

    known: frozenset[str]
    names_too: frozenset[str]


def read_words(name: str) -> Words:
    """Words of one list file: a star marks people's names, lines that begin with # are comments."""
    lines = (FOLDER / name).read_text(encoding="ascii").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    return Words(frozenset(w.rstrip("*") for w in words), frozenset(w[:-1] for w in words if w.endswith("*")))


@cache
def report_words() -> Words:
    """Words that a cleaned text may hold: of DICOM code meanings, of reports, and of descriptions of series."""
    lists = [read_words(name) for name in ("codes.txt", "report.txt", "acquisition.txt")]
    return Words(frozenset().union(*(w.known for w in lists)), frozenset().union(*(w.names_too for w in lists)))
