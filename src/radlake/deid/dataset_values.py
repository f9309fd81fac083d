"""Reading a pydicom data set before it is cleaned: whose it is, and VR, items and texts of its elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeVar

from pydicom.datadict import dictionary_VM, dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from radlake.deid.actions import WORDS, Person
from radlake.formats.dicom.tags import IDENTIFYING

T = TypeVar("T")
DEEPEST = 40  # sequences in sequences; structured reports have about ten
_PERSON = (0x00100020, 0x00100021, 0x0020000D)  # PatientID, IssuerOfPatientID, StudyInstanceUID
_BYTES = {
    "US": 2, "SS": 2, "US or SS": 2, "US or SS or OW": 2, "AT": 4, "UL": 4, "SL": 4, "FL": 4, "UV": 8, "SV": 8, "FD": 8,
    "US or OW": 2,
}  # fmt: skip
_ITEM = b"\xfe\xff\x00\xe0"  # PS3.5 7.5: how items begin, in little endian
_IN_PRIVATE = frozenset({"PN", "SQ"})  # whatever a private attribute is, these are names and what may hold names
_KNOWN = frozenset(vr.value for vr in VR)
# How values of a text lie in one element (PS3.5 6.4): one alone; several, padded together; several, padded each.
_WHOLE, _LISTS, _TEXTS = (
    frozenset({"LT", "ST", "UT"}),
    frozenset({"AS", "CS", "DA", "DT", "TM", "UI"}),
    frozenset({"LO", "SH"}),
)
_IDENTITIES = frozenset(tag for name in IDENTIFYING.split() if (tag := tag_for_keyword(name)) is not None)


def person_of(dataset: Dataset, key: bytes) -> Person:
    """Whose data set it is, with every name and number in it, at any depth, that could stand in a text."""
    known = dict.fromkeys(v for v in _identifiers(dataset) if len(v) > 1)
    patient_id, issuer, study_uid = (text_of(dataset, tag) for tag in _PERSON)
    return Person(key, patient_id, issuer, study_uid, tuple(known))


def _identifiers(dataset: Dataset, depth: int = 0) -> Iterator[str]:
    """Values of names and identifying attributes, as far as they can be read."""
    for tag, element in dataset.items():  # iterating the Dataset itself would convert every element
        private = tag >> 16 & 1
        if depth > DEEPEST or (private and not _may_name(element)):
            continue
        vr = "SQ" if private and element.VR == "UN" else vr_in(element, tag)
        if vr not in {"SQ", "PN"} and tag not in _IDENTITIES:
            continue
        if vr != "SQ":
            yield from readable(texts_of, dataset, tag)
            continue
        for item in readable(items_of, dataset, tag):
            if isinstance(item, Dataset):  # bytes that only begin as items do are none
                yield from _identifiers(item, depth + 1)


def creators_of(dataset: Dataset) -> Iterator[tuple[BaseTag, str]]:
    """Elements that reserve private blocks, with who reserved them (PS3.5 7.8.1)."""
    for tag in dataset.keys():  # noqa: SIM118 - as above
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF < 0x100:
            yield tag, text_of(dataset, tag)


def _may_name(element: DataElement | RawDataElement) -> bool:
    """Whether a private element holds a name, or items in which names may be."""
    value = element.value
    return element.VR in _IN_PRIVATE or (element.VR == "UN" and isinstance(value, bytes) and value[:4] == _ITEM)


def vr_of(source: Dataset, tag: BaseTag) -> str:
    """VR of an element, from the dictionary where the file names none that exists."""
    return vr_in(source.get_item(tag), tag)


def vr_in(element: DataElement | RawDataElement, tag: BaseTag) -> str:
    """As `vr_of`, of an element that has been taken out."""
    vr = element.VR
    return (vr if vr in _KNOWN and vr != "UN" else _entry(tag)[0]) or "UN"


def is_binary(source: Dataset, tag: BaseTag) -> bool:
    """Whether binary values are what the attribute should hold, as many as it may have: no text under a wrong VR."""
    if tag.is_private:
        return True
    vr, multiplicity = _entry(tag)
    if not (vr in _BYTES or vr in WORDS or vr in {"OB", "OB or OW"}):
        return False
    value = source.get_item(tag).value
    if vr not in _BYTES or not isinstance(value, bytes):
        return True
    count, rest = divmod(len(value), _BYTES[vr])
    return rest == 0 and (count in {0, int(multiplicity)} if multiplicity.isdigit() else True)


@lru_cache(maxsize=10_000)
def _entry(tag: BaseTag) -> tuple[str, str]:
    """VR and multiplicity of a public attribute in the dictionary, repeating groups included; empty if unknown."""
    try:
        return ("", "") if tag.is_private else (dictionary_VR(tag), dictionary_VM(tag))
    except KeyError:
        return "", ""


def items_of(source: Dataset, tag: int) -> list[Dataset]:
    """Items of a sequence; none where it is empty."""
    return list(source[tag].value or ())


def texts_of(source: Dataset, tag: int) -> list[str]:
    """Values of an element as texts; empty where it has none."""
    plain = _plain_texts(source.get_item(tag), tag)
    if plain is not None:
        return plain
    value = source[tag].value
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, MultiValue | list | tuple) else [str(value)]


def _plain_texts(stored: DataElement | RawDataElement, tag: int) -> list[str] | None:
    """Texts of an element that was not read yet, as pydicom reads them; None where that takes more than ASCII.

    Most are read only to find that they may stay, and then need not be written anew either.
    """
    if not isinstance(stored, RawDataElement):
        return None
    value, vr = stored.value, stored.VR or _entry(BaseTag(tag))[0]
    if not isinstance(value, bytes) or not value or not value.isascii() or b"\x1b" in value:
        return None
    if vr in _WHOLE:
        return [value.decode("ascii").rstrip(" \0")]
    if vr in _LISTS:
        return value.decode("ascii").rstrip(" \0").split("\\")
    if vr == "PN":
        return [text.rstrip("=") for text in value.decode("ascii").rstrip(" \0").split("\\")]
    return [text.rstrip(" \0") for text in value.decode("ascii").split("\\")] if vr in _TEXTS else None


def text_of(source: Dataset, tag: int) -> str:
    """First value of an element as text, without padding; "" where there is none or it cannot be read."""
    return next(iter(readable(texts_of, source, tag)), "").strip(" \0") if tag in source else ""


def readable(read: Callable[[Dataset, int], list[T]], source: Dataset, tag: int) -> list[T]:
    """What a reader of values finds; nothing where the element is damaged."""
    try:
        return read(source, tag)
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged values can raise
        return []
