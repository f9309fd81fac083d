"""Invented identities in every attribute that PS3.15 table E.1-1 lists, and the search for what is left of them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from faker import Faker
from pydicom import dcmwrite
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from radlake.deid.ps315 import Rules, table
from radlake.deid.vocabulary import report_words

NESTS = (0x52009229, 0x00209113, 0x00081200)  # sequences that the table does not list
_TEXTS = {"LO", "LT", "SH", "ST", "UC", "UT"}
_SHORT = {"SH": 16, "AE": 16, "CS": 16}


@dataclass
class Planted:
    """Needles by the tag and depth where they were put."""

    needles: dict[str, str] = field(default_factory=dict)

    def leaks(self, clean: Dataset) -> list[str]:
        """Places whose needle is somewhere in the file that is written of a data set."""
        stream = io.BytesIO()
        dcmwrite(stream, clean, enforce_file_format=True)
        data = stream.getvalue().lower()
        runs = {run.decode() for run in re.findall(rb"\d+", data)}  # inside a longer number seven digits mean nothing
        found = (n in runs if n.isdigit() else n.lower().encode() in data for n in self.needles)
        return sorted({place for place, leaked in zip(self.needles.values(), found, strict=True) if leaked})


class Planter:
    """Plants one identity for each attribute, depth and seed."""

    def __init__(self, seed: int, rules: Rules):
        self.fake, self.rules, self.planted, self.number = Faker(), rules, Planted(), 1_000_000 + 7919 * seed
        self.fake.seed_instance(seed)
        known = report_words().known
        names = {re.sub(r"\W", "", self.fake.unique.last_name()) for _ in range(900)}
        self.names = sorted(n for n in names if len(n) > 5 and n.lower() not in known and n.isascii())

    def plant(self, ds: Dataset, depth: int = 0) -> None:
        """Every listed attribute with a known VR, here and in unlisted sequences down to depth 3."""
        for number in table()["rules"]:
            if not re.fullmatch(r"[0-9A-F]{8}", number) or number.startswith(("0000", "0002", "0004")):
                continue
            tag = Tag(int(number, 16))
            if dictionary_has_tag(tag) and self.rules.action(tag, NESTS[depth - 1] if depth else 0) != "K":
                self._put(ds, tag, dictionary_VR(tag), f"{number} at depth {depth}")
        if depth < 3:
            item = Dataset()
            self.plant(item, depth + 1)
            ds.add_new(NESTS[depth], "SQ", Sequence([item]))

    def _put(self, ds: Dataset, tag: int, vr: str, place: str) -> None:  # noqa: PLR0911 - one for each kind of VR
        """One identity, as its VR writes it."""
        self.number += 1
        name, number = self.names[self.number % len(self.names)], str(self.number)
        if vr == "SQ":
            item = Dataset()
            item.add_new(0x00080104, "LO", f"{name} {number}")  # CodeMeaning: unlisted
            ds.add_new(tag, vr, Sequence([item]))
            return self._expect(place, name, number)
        if vr == "PN":
            ds.add_new(tag, vr, f"{name}^{number}")
            return self._expect(place, name, number)
        if vr in _TEXTS:
            first = name[: _SHORT.get(vr, 64) - 8]
            ds.add_new(tag, vr, f"{first} {number}")
            return self._expect(place, number, *([first] if len(first) > 5 else []))
        if vr in {"AE", "CS", "UR"}:
            ds.add_new(tag, vr, f"X{number}")
            return self._expect(place, number)
        if vr in {"OB", "UN"}:
            ds.add_new(tag, vr, f"{name} {number} ".encode().ljust(32))
            return self._expect(place, number)
        if vr == "UI":
            ds.add_new(tag, vr, f"1.2.840.99999.{number}")
            return self._expect(place, number)
        return self._moment(ds, tag, vr, place)

    def _moment(self, ds: Dataset, tag: int, vr: str, place: str) -> None:
        """Dates of one short month, which every shift leaves; times; numbers."""
        day = f"194402{1 + self.number % 28:02}"
        if vr == "DA":
            ds.add_new(tag, vr, day)
        elif vr == "DT":
            ds.add_new(tag, vr, f"{day}{self.number % 24:02}3517.{self.number % 10**6:06}")
        elif vr == "TM":
            ds.add_new(tag, vr, f"{self.number % 24:02}3517.{self.number % 10**6:06}")
            day = str(ds[tag].value)
            if "retain-modified-dates" in self.rules.options:
                return None  # the time of day stays
        elif vr in {"DS", "IS"}:
            ds.add_new(tag, vr, str(self.number))
            day = str(self.number)
        else:
            return None
        return self._expect(place, str(ds[tag].value).split(".")[0] if vr == "DT" else day)

    def _expect(self, place: str, *needles: str) -> None:
        """What may not be found afterwards."""
        self.planted.needles.update(dict.fromkeys(needles, place))
