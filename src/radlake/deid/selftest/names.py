"""Invented identities: surnames that no language has, and numbers that no other place of the file holds."""

from __future__ import annotations

import random
from collections.abc import Iterator

from radlake.deid.vocabulary import report_words

_HEADS = ("bl", "br", "dr", "fr", "gl", "gr", "kl", "kr", "pl", "pr", "qu", "sk", "tr", "v", "w", "z", "zw", "j", "y")
_VOWELS = ("a", "e", "i", "o", "u", "ae", "oi", "ou")
_MIDDLES = ("bb", "ck", "dd", "gg", "lk", "mz", "nk", "pp", "rv", "tz", "xx", "zz", "vl", "kw")
_TAILS = ("berg", "dal", "feld", "inski", "ovic", "quist", "sen", "strom", "witz", "zaki", "yev", "ux")
_PARTS = (_HEADS, _VOWELS, _MIDDLES, _VOWELS, _TAILS)


class Inventor:
    """Names and numbers without end, each once; equal seeds give equal ones.

    Examples
    --------
    >>> one, two = Inventor(7), Inventor(7)
    >>> one.name() == two.name(), one.name() == one.name(), one.number()
    (True, False, '1055434')
    """

    def __init__(self, seed: int):
        self._names = _names(random.Random(seed))  # noqa: S311 - not for secrets
        self._number = 1_000_000 + 7919 * seed

    def name(self) -> str:
        """A surname of 8 to 16 ASCII letters."""
        return next(self._names)

    def number(self) -> str:
        """A number of seven digits or more."""
        self._number += 1
        return str(self._number)


def _names(rng: random.Random) -> Iterator[str]:
    """Surnames in random order, none of them a word that cleaning may leave."""
    seen, words = set(), report_words().known
    choose = rng.choice
    while True:
        name = "".join([choose(part) for part in _PARTS]).capitalize()
        short = name[:7]  # short attributes hold no more
        if short not in seen and words.isdisjoint((short.lower(), name.lower())):
            seen.add(short)
            yield name
