"""Marking: the ten actions of the MIDI-B challenge on one cleaned file, stricter than there.

A file that is absent and an attribute that is removed count neither as changed nor as shifted. What geometry, intensity
and physics hang on must be equal to the bit.

References
----------
Rutherford et al. (2021), A DICOM dataset for evaluation of medical image de-identification, Sci Data 8:183; MIDI-B
(2024), the Medical Image De-Identification Benchmark Challenge: tag retained, text not null, text retained, text
removed, date shifted, UID changed, UID consistent, patient ID consistent, pixels hidden, pixels retained.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Literal, get_args

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]

from radlake.deid.ps315 import Rules
from radlake.deid.selftest.plant import HARMLESS, NEEDED, Key, Moment, Path
from radlake.deid.vocabulary.terms import NEWER_UIDS, PRIVATE_CLASSES

Action = Literal[
    "tag retained", "text not null", "text retained", "text removed", "date shifted", "UID changed", "UID consistent",
    "patient id consistent", "pixels hidden", "pixels retained",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = get_args(Action)
_UID = re.compile(r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+")  # PS3.5 9.1


@dataclass
class Sheet:
    """Marks: how often each action was right and wrong, and where it was wrong.

    Parameters
    ----------
    right : Counter of action
    wrong : dict of action -> list of places
    renamed : list of (old, new)
        UIDs that should have changed; "": gone.
    """

    right: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    renamed: list[tuple[str, str]] = field(default_factory=list)

    def mark(self, action: Action, good: bool, place: str) -> None:
        """Count one action."""
        if good:
            self.right[action] += 1
        else:
            self.wrong.setdefault(action, []).append(place)

    def add(self, other: Sheet) -> None:
        """Another sheet's marks beside these."""
        self.right += other.right
        for action, places in other.wrong.items():
            self.wrong.setdefault(action, []).extend(places)
        self.renamed += other.renamed

    def rate(self, action: str) -> float | None:
        """Share of right ones; None where there were none at all."""
        total = self.right[action] + len(self.wrong.get(action, ()))
        return self.right[action] / total if total else None


def mark_file(before: Dataset, after: Dataset, data: bytes, key: Key, rules: Rules) -> Sheet:
    """Marks of one file.

    Parameters
    ----------
    before, after : pydicom.Dataset
        With what was planted, and cleaned.
    data : bytes
        The cleaned file as it was written.
    key : Key
        The answers.
    rules : Rules
        Those that the cleaning should have followed.
    """
    sheet = Sheet()
    gone = len(set(key.needles.values()))
    leaks = key.leaks(data)
    sheet.right["text removed"] += gone - len(leaks)
    sheet.wrong["text removed"] = leaks
    _needed(before, after, sheet)
    text = _reader(after)
    for path, tag in key.filled:
        sheet.mark("text not null", bool(text(path, tag)), _place(path, tag))
    for path, tag in key.phrases:
        sheet.mark("text retained", HARMLESS in text(path, tag), _place(path, tag))
    _dates(text, key.moments, sheet)
    for path, tag, old in uids(before, rules):
        new = text(path, tag)
        sheet.mark("UID changed", new != old and bool(_UID.fullmatch(new)) and len(new) <= 64, _place(path, tag))
        sheet.renamed.append((old, new))
    return sheet


def _reader(after: Dataset) -> Callable[[Path, int], str]:
    """Value, as text, of an element in the data set or item that a path leads to; empty where there is none."""
    holder = cache(lambda path: inside(after, path))

    def text(path: Path, tag: int) -> str:
        found = holder(path)
        return "" if found is None else _text(found, tag)

    return text


def inside(dataset: Dataset, path: Path) -> Dataset | None:
    """The data set or item that a path leads to; None where it is not there."""
    for tag, number in path:
        items = dataset[tag].value if tag in dataset else ()
        if len(items) <= number:
            return None
        dataset = items[number]
    return dataset


def uids(dataset: Dataset, rules: Rules, path: Path = (), parent: int = 0) -> Iterator[tuple[Path, BaseTag, str]]:
    """UIDs of objects that must be there and changed afterwards: one to an element, in places that stay."""
    for tag in sorted(dataset.keys()):
        if tag.is_private or not _may_hold_uids(dataset.get_item(tag), tag):
            continue
        element, action = dataset[tag], rules.action(tag, parent)
        if element.VR == "SQ" and action not in {"X", "Z"} and element.value and not _is_content(element.tag):
            for number, item in enumerate(element.value):
                yield from uids(item, rules, (*path, (int(element.tag), number)), element.tag)
        elif element.VR == "UI" and action in {"U", "D", None}:
            value = element.value
            if value and not isinstance(value, MultiValue) and not _is_public(str(value)):
                yield path, element.tag, str(value)


def _may_hold_uids(stored: DataElement | RawDataElement, tag: BaseTag) -> bool:
    """Whether an element must be read: most are texts, and reading them takes most of the time."""
    vr = stored.VR if stored.VR not in {None, "UN"} else dictionary_VR(tag) if dictionary_has_tag(tag) else "UN"
    return vr in {"UI", "SQ"}


def _is_content(tag: BaseTag) -> bool:
    """Whether items of a sequence may go by their concept names."""
    return bool(tag == 0x0040A730)


def _needed(before: Dataset, after: Dataset, sheet: Sheet) -> None:
    """Every needed attribute that was there, and is not inside something that must go, is there as it was."""
    for tag in before.keys():  # noqa: SIM118 - iterating the data set would read every element
        if keyword_for_tag(tag) in NEEDED:
            element = before[tag]
            same = bool(element.tag in after and after[element.tag].value == element.value)
            left = _text(after, element.tag)
            good = same if _is_sound(element) else not left or (element.VR == "UI" and left != str(element.value))
            sheet.mark("tag retained", good, _place((), element.tag))
    for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        pairs = zip(before.get(name, ()), after.get(name, ()), strict=False)
        for old, new in pairs:
            for group in ("PixelMeasuresSequence", "PlanePositionSequence", "PlaneOrientationSequence",
                          "PixelValueTransformationSequence"):  # fmt: skip
                if group in old:
                    sheet.mark("tag retained", group in new and _plain(new[group]) == _plain(old[group]), group)


def _is_sound(element: DataElement) -> bool:
    """Whether a value is what its attribute holds: numbers, as many as it may have, or a published class.

    What is written as 1A tells no geometry, but may tell a name: then nothing of it may be left. In place of a class
    that nobody published stands another UID, or none.
    """
    values = element.value if isinstance(element.value, MultiValue) else [element.value]
    if element.VR == "UI":
        return _is_public(str(element.value)) or not element.value
    if len(values) > 1 and dictionary_VM(element.tag) == "1":
        return False
    return element.VR not in {"DS", "IS"} or all(isinstance(v, int | float | Decimal) or not v for v in values)


def _is_public(uid: str) -> bool:
    """Whether a UID is of the standard, or a maker's for a kind of object."""
    return uid in UID_dictionary or uid in NEWER_UIDS or uid in PRIVATE_CLASSES


def _plain(element: object) -> str:
    """A sequence as text."""
    return str(element)


def _dates(text: Callable[[Path, int], str], moments: list[Moment], sheet: Sheet) -> None:
    """All planted dates moved by the same days, time of day kept."""
    shifts = [(moment, _shift(text(moment.path, moment.tag), moment)) for moment in moments]
    usual = Counter(days for _, days in shifts if days is not None).most_common(1)
    for moment, days in shifts:
        good = days is not None and days != 0 and days == usual[0][0]
        sheet.mark("date shifted", good, _place(moment.path, moment.tag))


def _shift(text: str, moment: Moment) -> int | None:
    """Days that a date moved by; None where it is gone, no date, or has another time of day."""
    if not re.fullmatch(r"\d{8}.*", text) or text[8:] != moment.value[8:]:
        return None
    new, old = (date(int(t[:4]), int(t[4:6]), int(t[6:8])) for t in (text, moment.value))
    return (new - old).days


def _text(dataset: Dataset, tag: int) -> str:
    """Value of an element as text; empty where there is none."""
    element = dataset.get(Tag(tag))
    return "" if element is None or element.value is None else str(element.value)


def _place(path: Path, tag: int) -> str:
    """Where, in tags."""
    return "/".join(f"{t >> 16:04X},{t & 0xFFFF:04X}" for t in (*(t for t, _ in path), tag))
