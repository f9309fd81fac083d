"""Planting: an invented identity in every attribute that PS3.15 lists, and in many places that it does not.

Each identity is planted once, so whatever is found afterwards names the place from which it leaked.
"""

from __future__ import annotations

import re
import string
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from radlake.deid.ps315 import Rules, table
from radlake.deid.selftest.encoded import Encoding
from radlake.deid.selftest.names import Inventor

Path = tuple[tuple[int, int], ...]  # sequences and item numbers that lead to a data set
_Elements = dict[BaseTag, RawDataElement]
NESTS = (0x52009229, 0x00209113, 0x00081200)  # sequences that the table does not list, one in the other
HARMLESS = "nodule 12 mm"  # words that cleaning must leave
_TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_LENGTHS = {"SH": 16, "LO": 64}
_SR = "1.2.840.10008.5.1.4.1.1.88."
_CODE_MEANING = Tag(0x00080104)
_LEAST = 5  # letters of a name that is looked for
_DIGITS = bytes(c if chr(c) in string.digits else 32 for c in range(256))
_LETTERS = bytes(ord(chr(c).lower()) if chr(c) in string.ascii_letters else 32 for c in range(256))
_EVERY = 7  # one in so many of the attributes that no table lists is planted in; all of them within some seeds


# What geometry, intensity and physics hang on (PS3.3 C.7.6.2, C.7.6.3, C.11.1, C.8.9).
NEEDED = frozenset({
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "Rows", "Columns",
    "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "WindowCenter", "WindowWidth", "SOPClassUID", "Modality", "ImageType", "SpacingBetweenSlices", "KVP",
    "EchoTime", "RepetitionTime", "FlipAngle", "MagneticFieldStrength", "RadionuclideTotalDose",
    "RadionuclideHalfLife", "Units", "DecayCorrection", "InstanceNumber", "SeriesNumber", "PatientPosition",
    "DoseGridScaling", "SmallestImagePixelValue", "PixelPaddingValue", "RedPaletteColorLookupTableData",
    "PixelAspectRatio", "ImagerPixelSpacing",
})  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """A date that was planted where dates move."""

    path: Path
    tag: int
    value: str


@dataclass
class Key:
    """The answers: what must be gone, what must have moved, what must have stayed.

    Parameters
    ----------
    needles : dict
        Text that may not be found afterwards -> its place, "listed" or "unlisted" first.
    moments : list of Moment
        Dates that must have moved, all by the same days.
    phrases : list of (Path, tag)
        Texts of which the harmless words must be left.
    filled : list of (Path, tag)
        Attributes that must hold some value.
    """

    needles: dict[str, str] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    phrases: list[tuple[Path, int]] = field(default_factory=list)
    filled: list[tuple[Path, int]] = field(default_factory=list)

    def leaks(self, data: bytes) -> list[str]:
        """Places whose needle is in the bytes of a file."""
        found = [*self._numbers_in(data), *self._names_in(data)]
        return sorted({self.needles[needle] for needle in found})

    def forget_chance(self, data: bytes, samples: bytes) -> None:
        """Leave out what is there before anything is planted: it tells nothing then.

        Parameters
        ----------
        data : bytes
            The file; its numbers are left out.
        samples : bytes
            Of its pixels, which may spell names too; elsewhere a name is no chance.
        """
        for needle in (*self._numbers_in(data), *self._names_in(samples)):
            del self.needles[needle]

    def forget_ids(self, data: bytes, other: bytes) -> None:
        """Leave out what only one of two cleaned files holds, cleaned with two keys: an id spells it, as ids spell all.

        A pseudonym may hold seven letters of somebody's name. Under another key it holds others; what leaks stays.
        """
        for needle in {*self._numbers_in(data), *self._names_in(data)} - {
            *self._numbers_in(other),
            *self._names_in(other),
        }:
            del self.needles[needle]

    def _numbers_in(self, data: bytes) -> list[str]:
        """Planted numbers that bytes hold."""
        runs = _numbers(data)
        return [needle for needle in self.needles if needle.isdigit() and needle.encode() in runs]

    def _names_in(self, data: bytes) -> list[str]:
        """Planted names that bytes hold."""
        words = _words(data)
        return [needle for needle in self.needles if not needle.isdigit() and needle.lower().encode() in words]


def _numbers(data: bytes) -> set[bytes]:
    """Runs of digits, whole: inside a longer number seven digits mean nothing."""
    return set(data.translate(_DIGITS).split())


def _words(data: bytes) -> bytes:
    """Runs of letters that could hold a name, in lower case, each once, with blanks between them."""
    return b" ".join({word for word in data.translate(_LETTERS).split() if len(word) >= _LEAST})


def plant(dataset: Dataset, rules: Rules, seed: int) -> Key:
    """Plant in a data set; what must be gone, moved or kept comes back as the answer key.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Changed in place.
    rules : Rules
        Those of the profile that will clean it: what its options keep is not planted in.
    seed : int
        Chooses identities, and which unlisted attributes are planted in.
    """
    planter = _Planter(rules, Inventor(seed), seed, Encoding.of(dataset))
    planter.at_the_top(dataset)
    planter.beside(dataset)
    return planter.key


@dataclass
class _Planter:
    """One planting."""

    rules: Rules
    invent: Inventor
    seed: int
    encoding: Encoding
    key: Key = field(default_factory=Key)

    def at_the_top(self, dataset: Dataset) -> None:
        """Listed and unlisted attributes of a data set, and in sequences below."""
        for tag, element in self._at_depth(dataset, 0, ()).items():
            dataset[tag] = element

    def _at_depth(self, dataset: Dataset | _Elements, depth: int, path: Path) -> _Elements:
        """What is planted beside what is there, and in an unlisted sequence below, down to depth 3."""
        elements: _Elements = {}
        parent = NESTS[depth - 1] if depth else 0
        for tag, vr in _listed():
            action = self.rules.action(tag, parent)
            if action != "K":
                self._put(elements, tag, vr, path, f"listed {tag} at depth {depth}", action)
        for number, (tag, vr) in enumerate(_unlisted()):
            if (number + self.seed + depth) % _EVERY == 0 and tag not in dataset:
                self._put(elements, tag, vr, path, f"unlisted {tag} at depth {depth}", None)
        if depth < len(NESTS):
            below = self._at_depth({}, depth + 1, (*path, (NESTS[depth], 0)))
            self._add(elements, Tag(NESTS[depth]), "SQ", self.encoding.item(below))
        return elements

    def _add(self, elements: _Elements, tag: BaseTag, vr: str, value: str | bytes) -> None:
        """One element more."""
        elements[tag] = self.encoding.element(tag, vr, value)

    def beside(self, dataset: Dataset) -> None:
        """Private attributes, overlays, curves, report content, meta information, preamble, what follows the pixels."""
        name = self._name("unlisted private creator")
        block = dataset.private_block(0x0029, name, create=True)
        for number, vr in enumerate(("LO", "UT", "OB", "UN", "PN", "SH", "DS"), 0x10):
            number_ = self._number("unlisted private attribute")
            block.add_new(number, vr, number_ if vr == "DS" else f"{self._name('unlisted private')} {number_}"[:16]
                          if vr == "SH" else self._bytes_or_text(vr, number_))  # fmt: skip
        self._safe_private(dataset)
        for group in (0x6000, 0x6002):
            dataset.add_new(group << 16 | 0x3000, "OW", self._bytes("listed overlay data"))
            dataset.add_new(group << 16 | 0x4000, "LT", self._name("listed overlay comments"))
            dataset.add_new(group << 16 | 0x0022, "LO", self._name("unlisted overlay description"))
        dataset.add_new(0x50003000, "OW", self._bytes("listed curve data"))
        dataset.add_new(0x50002500, "LO", self._name("listed curve label"))
        if str(dataset.get("SOPClassUID", "")).startswith(_SR):
            dataset.ContentSequence = Sequence([*dataset.get("ContentSequence", ()), *self._content()])
        self._meta(dataset)

    def _content(self) -> Iterator[Dataset]:
        """A content item for each concept of table E.3.4-1 that is not kept."""
        for row in table()["content"]:
            scheme, code, kind = row.split("|")
            if self.rules.content(scheme, code, kind) == "K" or kind not in _CONTENT:
                continue
            concept, item = Dataset(), Dataset()
            concept.CodeValue, concept.CodingSchemeDesignator, concept.CodeMeaning = code, scheme, "Observation"
            item.RelationshipType, item.ValueType = "CONTAINS", kind
            item.ConceptNameCodeSequence = Sequence([concept])
            _CONTENT[kind](self, item, f"listed content {code} {kind}")
            yield item

    def _safe_private(self, dataset: Dataset) -> None:
        """Names where the standard's safe private attributes hold numbers and codes."""
        for creator, attributes in table()["safe_private"].items():
            for place, vr in list(attributes.items())[:2]:
                group, element = (int(part, 16) for part in place.split(","))
                if vr in {"LO", "SH", "CS", "UT", "LT", "ST"}:
                    block = dataset.private_block(group, creator, create=True)
                    block.add_new(element, vr, self._name(f"unlisted safe private {creator}").upper()[:16])

    def _meta(self, dataset: Dataset) -> None:
        """File meta information, preamble."""
        meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
        meta.SourceApplicationEntityTitle = self._number("listed sender in meta information")
        meta.PrivateInformationCreatorUID = f"1.2.840.99999.{self._number('listed creator in meta information')}"
        meta.PrivateInformation = self._bytes("listed private meta information")
        dataset.file_meta = meta
        dataset.preamble = self._bytes("listed preamble").ljust(128, b"\0")

    def behind(self) -> bytes:
        """An element that follows the pixels (PS3.10 7.2, Data Set Trailing Padding)."""
        data = self._bytes("unlisted trailing padding")
        return struct.pack("<HH2sHL", 0xFFFC, 0xFFFC, b"OB", 0, len(data)) + data

    def _put(self, elements: _Elements, tag: BaseTag, vr: str, path: Path, place: str, action: str | None) -> None:
        """One identity, as its VR writes it."""
        name, number = self.invent.name(), self.invent.number()
        if vr == "SQ":
            meaning: _Elements = {}
            self._add(meaning, _CODE_MEANING, "LO", f"{name} {number}")
            self._add(elements, tag, vr, self.encoding.item(meaning))
        elif vr == "PN":
            self._add(elements, tag, vr, f"{name}^{number}")
        elif vr in _TEXTS:
            name = name[: _LENGTHS.get(vr, 64) - 9] if vr == "SH" else name
            kept = action == "C" and vr != "SH"
            self._add(elements, tag, vr, f"{HARMLESS} {name} {number}" if kept else f"{name} {number}")
            if kept:
                self.key.phrases.append((path, int(tag)))
        elif vr in {"AE", "CS", "UR"}:
            name = name[:7].upper()
            self._add(elements, tag, vr, f"{name} {number}" if vr != "UR" else f"urn:{name}.{number}")
        elif vr in {"OB", "UN"}:
            self._add(elements, tag, vr, f"{name} {number} ".encode().ljust(32))
        elif vr == "UI":
            name = ""
            self._add(elements, tag, vr, f"1.2.840.99999.{number}")
        else:
            self._moment(elements, tag, vr, path, place, action)
            return
        self._expect(place, number, *([name] if len(name) >= _LEAST else []))
        if action == "D" and vr not in {"SQ", "OB", "UN"}:
            self.key.filled.append((path, int(tag)))

    def _moment(self, elements: _Elements, tag: BaseTag, vr: str, path: Path, place: str, action: str | None) -> None:
        """Dates of one short month, which every shift leaves; times; numbers."""
        number = self.invent.number()
        short = int(number)
        day = f"194402{1 + short % 28:02}"
        moved = "retain-modified-dates" in self.rules.options and action in {"C", None}
        if vr in {"DA", "DT"}:
            clock = f"{short % 24:02}3517.{short % 10**6:06}" if vr == "DT" else ""
            self._add(elements, tag, vr, day + clock)
            self._expect(place, day + clock[:6])
            if moved:
                self.key.moments.append(Moment(path, int(tag), day + clock))
        elif vr == "TM":
            self._add(elements, tag, vr, f"{short % 24:02}3517.{short % 10**6:06}")
            if "retain-modified-dates" not in self.rules.options:  # else times of day stay, and some are equal
                self._expect(place, f"{short % 24:02}3517")
        elif vr in {"DS", "IS"} and place.startswith("listed"):
            self._add(elements, tag, vr, number)
            self._expect(place, number)

    def _expect(self, place: str, *needles: str) -> None:
        """What may not be found afterwards."""
        self.key.needles.update(dict.fromkeys(needles, place))

    def _name(self, place: str) -> str:
        """A name planted at a place."""
        name = self.invent.name()
        self._expect(place, name)
        return name

    def _number(self, place: str) -> str:
        """A number planted at a place."""
        number = self.invent.number()
        self._expect(place, number)
        return number

    def _bytes(self, place: str) -> bytes:
        """A name as bytes of even length."""
        return f"{self._name(place)} ".encode().ljust(32)

    def _bytes_or_text(self, vr: str, number: str) -> bytes | str:
        """A name with a number as a private attribute of a VR holds it."""
        text = f"{self._name('unlisted private attribute')} {number}"
        return text.encode().ljust(32) if vr in {"OB", "UN"} else text


def _text_item(planter: _Planter, item: Dataset, place: str) -> None:
    item.TextValue = f"seen by {planter._name(place)} {planter._number(place)}"


def _name_item(planter: _Planter, item: Dataset, place: str) -> None:
    item.PersonName = f"{planter._name(place)}^{planter._number(place)}"


def _uid_item(planter: _Planter, item: Dataset, place: str) -> None:
    item.UID = f"1.2.840.99999.{planter._number(place)}"


def _code_item(planter: _Planter, item: Dataset, place: str) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "T-1", "99LOCAL"
    code.CodeMeaning = planter._name(place)
    item.ConceptCodeSequence = Sequence([code])


def _reference_item(planter: _Planter, item: Dataset, place: str) -> None:
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    reference.ReferencedSOPInstanceUID = f"1.2.840.99999.{planter._number(place)}"
    item.ReferencedSOPSequence = Sequence([reference])


_CONTENT: dict[str, Callable[[_Planter, Dataset, str], None]] = {
    "TEXT": _text_item,
    "PNAME": _name_item,
    "UIDREF": _uid_item,
    "CODE": _code_item,
    "COMPOSITE": _reference_item,
    "IMAGE": _reference_item,
}


@cache
def _listed() -> tuple[tuple[BaseTag, str], ...]:
    """Attributes of table E.1-1 that the dictionary knows; meta information and directories apart."""
    plain = (
        n for n in table()["rules"] if re.fullmatch(r"[0-9A-F]{8}", n) and not n.startswith(("0000", "0002", "0004"))
    )
    tags = (Tag(int(number, 16)) for number in plain)
    return tuple((tag, dictionary_VR(tag)) for tag in tags if dictionary_has_tag(tag))


@cache
def _unlisted() -> tuple[tuple[BaseTag, str], ...]:
    """Attributes of the standard that the table does not list and that can hold a text, a name, a date or bytes."""
    holds = _TEXTS | {"PN", "AE", "CS", "UR", "DA", "DT", "UN"}
    listed = table()["rules"]
    return tuple(
        (Tag(number), entry[0])
        for number, entry in sorted(DicomDictionary.items())
        if entry[0] in holds and f"{number:08X}" not in listed and number >> 16 not in {0x0000, 0x0002, 0x0004}
        and number not in _STRUCTURE and entry[4] not in NEEDED and not 0x5000 <= number >> 16 <= 0x60FF
    )  # fmt: skip


# What reading a file hangs on, and what the cleaning writes itself.
_STRUCTURE = frozenset({
    0x00080005, 0x00080006, 0x00080008, 0x00080060, 0x00280004, 0x00120062, 0x00120063, 0x00280303, 0x0040A040,
    0x0040A010, 0x00080070,
})  # fmt: skip
