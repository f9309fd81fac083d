"""Identifiers to look for, in all their spellings, and the search for them in texts.

Texts and identifiers are both taken apart into runs of letters and of digits, without case and accents; what stands
between the runs does not matter. So "Doe^John", "DOE, JOHN", "john_doe" and "doe.john" are one sequence of words in two
orders, "johndoe" is one more, and a search costs one dictionary look-up for each word of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations

from radlake.deid.verify.leak import SourceKind

_RUN = re.compile(r"[^\W\d_]+|\d+")
_NOBODY = frozenset({
    "anon", "anonymous", "anonymized", "anonymised", "deidentified", "na", "nil", "no", "none", "null", "patient",
    "removed", "test", "unknown", "unspecified", "name", "id",
})  # fmt: skip
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
# PS3.16 Annex L: body parts in the one word that BodyPartExamined (CS) has for them.
_BODY_PARTS = frozenset({
    "abdomenpelvis", "chestabdomen", "chestabdpelvis", "chestneck", "cspine", "headneck", "lspine", "lsspine",
    "neckchest", "neckchestabdomen", "neckchestabdpelv", "sijoint", "sspine", "tlspine", "tspine", "wholebody",
})  # fmt: skip
_COUNTED = "01234567890123456789"
_MOST_PARTS = 4  # of a name: given, middle and family names; prefixes and more would only make longer sequences
LEAST_NAME, LEAST_NUMBER, LEAST_ID = 4, 5, 4  # characters that an identifier needs to be looked for by itself


def words(text: str) -> list[str]:
    """Runs of letters and runs of digits of a text, without case and accents.

    Examples
    --------
    >>> words("Müller^Anna-Lena AB4711_x")
    ['muller', 'anna', 'lena', 'ab', '4711', 'x']
    """
    if text.isascii():
        return _RUN.findall(text.lower())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return _RUN.findall("".join(c for c in plain if not unicodedata.combining(c)))


@cache
def ordinary() -> frozenset[str]:
    """Words of the DICOM standard: attributes, UIDs, meanings of codes. Alone they are nobody's name."""
    from pydicom._dicom_dict import DicomDictionary
    from pydicom._uid_dict import UID_dictionary
    from pydicom.sr._concepts_dict import concepts

    schemes: dict[str, dict[str, dict[str, tuple[str, list[int]]]]] = concepts  # type: ignore[assignment]
    names = [entry[2] for entry in DicomDictionary.values()] + [entry[0] for entry in UID_dictionary.values()]
    names += [meaning for scheme in schemes.values() for codes in scheme.values() for meaning, _ in codes.values()]
    return frozenset(word for name in names for word in words(name)) | _BODY_PARTS


@dataclass
class Needles:
    """What to look for.

    Examples
    --------
    >>> needles = Needles()
    >>> needles.add_name("Quuxberg^Xenia")
    >>> needles.find(words("seen by XENIA QUUXBERG")), needles.find(words("xeniaquuxberg")), needles.find(["chest"])
    ({'name'}, {'name'}, set())
    """

    sequences: dict[str, set[tuple[tuple[str, ...], SourceKind]]] = field(default_factory=dict)
    wholes: dict[str, SourceKind] = field(default_factory=dict)
    uids: set[str] = field(default_factory=set)
    scripts: dict[str, SourceKind] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sequences or self.wholes or self.uids or self.scripts)

    def find(self, text: Sequence[str], *, least: int = 0) -> set[SourceKind]:
        """Kinds of the identifiers in the words of a text; those shorter than `least` characters are passed over."""
        found: set[SourceKind] = set()
        for place, first in enumerate(text):
            for sequence, kind in self.sequences.get(first, ()):
                if tuple(text[place : place + len(sequence)]) == sequence and sum(map(len, sequence)) >= least:
                    found.add(kind)
        if self.scripts and not all(word.isascii() for word in text):
            joined = " ".join(text)
            found |= {kind for part, kind in self.scripts.items() if part in joined}
        return found

    def whole(self, text: str) -> SourceKind | None:
        """Kind of the identifier that a whole value equals, however short it is."""
        return self.wholes.get(_plain(text))

    def add_name(self, text: str) -> None:
        """A person's name: its parts, in any order, with and without spaces (PS3.5 6.2.1.1)."""
        if not set(words(text)) <= _NOBODY:
            self.wholes.setdefault(_plain(text), "name")
        for group in text.split("="):
            parts = [p for p in words(group) if not p.isdigit()][:_MOST_PARTS]
            for part in parts:
                if not part.isascii() and len(part) > 1:
                    self.scripts[part] = "name"
                if len(part) >= LEAST_NAME and part not in ordinary() | _NOBODY:
                    self._put((part,), "name")
            for several in _arrangements(parts):
                if sum(map(len, several)) > LEAST_NAME and not set(several) <= _NOBODY:
                    self._put(several, "name")
                    self._put(("".join(several),), "name")

    def add_id(self, text: str, kind: SourceKind) -> None:
        """A number or code of a person, an examination or a device: with its separators, with others, without any."""
        parts = tuple(words(text))
        joined = "".join(parts)
        if not parts or set(parts) <= _NOBODY or set(joined) <= {"0"}:
            return
        self.wholes[_plain(text)] = kind
        if joined.isdigit() and len(joined) < LEAST_NUMBER:
            return
        if len(joined) < LEAST_ID or (joined.isalpha() and (len(joined) <= LEAST_NAME or set(parts) <= ordinary())):
            return
        self._put(parts, kind)
        self._put((joined,), kind)

    def add_whole(self, text: str, kind: SourceKind) -> None:
        """What tells somebody only where it is a whole value, and says something else inside a text."""
        self.wholes.setdefault(_plain(text), kind)

    def add_text(self, text: str, kind: SourceKind) -> None:
        """An institution, an address: all its words one after the other, unless all are words of the standard."""
        parts = tuple(words(text))
        if parts and not set(parts) <= ordinary() | _NOBODY and sum(map(len, parts)) > LEAST_NAME:
            self._put(parts, kind)
            self._put(("".join(parts),), kind)

    def add_date(self, text: str) -> None:
        """A day (YYYYMMDD or with separators) as people write it: order, month names, two digits of the year."""
        found = re.match(r"\s*((?:18|19|20)\d\d)[-.]?(\d\d)[-.]?(\d\d)", text)
        if not found or not (1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31):
            return
        for spelling in _dates(found[1], found[2], found[3]):
            self._put(spelling, "date")

    def add_uid(self, text: str) -> None:
        """A UID."""
        self.uids.add(text.strip(" \0"))

    def _put(self, sequence: tuple[str, ...], kind: SourceKind) -> None:
        if is_filler("".join(sequence)):  # counts as a whole value only
            return
        self.sequences.setdefault(sequence[0], set()).add((sequence, kind))


def is_filler(text: str) -> bool:
    """Whether a value is typed to fill a field ("xxxxxx", "123456789"): smooth samples spell it by chance.

    Examples
    --------
    >>> is_filler("9999999"), is_filler("234567"), is_filler("4711081")
    (True, True, False)
    """
    return len(set(text)) == 1 or text in _COUNTED


def _plain(text: str) -> str:
    """A value without padding and case."""
    return text.strip(" \0").casefold()


def _arrangements(parts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Two or more parts of a name in every order."""
    for count in range(2, len(parts) + 1):
        yield from permutations(parts, count)


def _dates(year: str, month: str, day: str) -> Iterator[tuple[str, ...]]:
    """Spellings of a day as words."""
    yield (year + month + day,)
    yield (day + month + year,)
    for m in {month, str(int(month))}:
        for d in {day, str(int(day))}:
            yield from ((year, m, d), (d, m, year), (m, d, year), (d, m, year[2:]), (m, d, year[2:]))
    name = _MONTHS[int(month) - 1]
    for m in {name, name[:3]}:
        for d in {day, str(int(day))}:
            yield from ((d, m, year), (m, d, year), (year, m, d), (d, m, year[2:]))
            yield from ((d, suffix, m, year) for suffix in ("st", "nd", "rd", "th"))
