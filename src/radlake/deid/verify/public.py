"""Values that everybody may know, though somebody's name or number is spelled the same: models of devices, codes.

A word proves nothing in an attribute of the equipment where a source of another person has that very value: then it is
the device's name. Anywhere else the word counts, and so does any other value there. A code that a public scheme
defines is no number of anybody's, and one that is typed to fill a field is equal to others by chance.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from radlake.deid.verify.dicom_parts import elements, texts
from radlake.deid.verify.needles import is_filler, words

Value = tuple[int, tuple[str, ...]]  # tag, words of a whole value
# PS3.3 C.7.5.1 and the modules of CT, MR: makers, models, versions, kernels, coils, pulse sequences.
EQUIPMENT = frozenset({
    0x00080070, 0x00081090, 0x00181020, 0x00181019, 0x00181250, 0x00181251, 0x00181210, 0x00180024, 0x00181016,
    0x00189005,
})  # fmt: skip
_CODES, _CODE_SCHEME = frozenset({0x00080100, 0x00080119}), 0x00080102
_CONSOLE = 0x00700084  # Content Creator's Name: consoles put their own there
_RETIRED = frozenset({"SRT", "SDM", "99SDM", "SCPECG"})  # schemes of public codes that pydicom lists no more


def devices(dataset: Dataset) -> Iterator[Value]:
    """Values of a source's equipment attributes, apart from those with a word of a person's name in the same file."""
    named: set[str] = set()
    found: list[Value] = []
    for _, owner, tag, vr in elements(dataset):
        if vr == "PN" and tag != _CONSOLE:
            named.update(word for text in texts(owner, tag) for word in words(text))
        elif tag in EQUIPMENT:
            found += [(int(tag), tuple(words(text))) for text in texts(owner, tag)]
    yield from (value for value in found if value[1] and named.isdisjoint(value[1]))


def is_device(tag: BaseTag, text: str, known: set[Value]) -> bool:
    """Whether a value is that which a source's device has there."""
    return tag in EQUIPMENT and (int(tag), tuple(words(text))) in known


def is_of_scheme(dataset: Dataset, tag: BaseTag) -> bool:
    """Whether an element is a code of a public scheme: those are long numbers as well."""
    return tag in _CODES and _scheme(dataset) in {scheme for scheme, _ in _published()} | _RETIRED


def is_free_code(dataset: Dataset, tag: BaseTag, text: str) -> bool:
    """Whether a value is a code that a public scheme defines, or one that fills a field of somebody's own scheme.

    Examples
    --------
    >>> concept = Dataset()
    >>> concept.CodeValue, concept.CodingSchemeDesignator = "121071", "DCM"
    >>> [is_free_code(concept, Tag(0x00080100), value) for value in ("121071", "1234", "4711081")]
    [True, True, False]
    """
    text = text.strip(" \0")
    return tag in _CODES and ((_scheme(dataset), text) in _published() or is_filler(text))


def as_written(dataset: Dataset, known: set[Value]) -> re.Pattern[bytes] | None:
    """What finds those elements in the bytes of a file that hold such values; None where there are none."""
    found: set[bytes] = set()
    for _, owner, tag, _ in elements(dataset):
        values = texts(owner, tag) if tag in EQUIPMENT or tag in _CODES else []
        if values and all(is_device(tag, text, known) or is_free_code(owner, tag, text) for text in values):
            value = "\\".join(values).encode("utf-8", "replace")
            for order in "<>":
                head = re.escape(struct.pack(f"{order}HH", tag.group, tag.element))
                found.add(head + rb".{4}(?:.{4})??" + re.escape(value))  # VR and length, or length
    return re.compile(b"|".join(sorted(found)), re.DOTALL) if found else None


def _scheme(dataset: Dataset) -> str:
    """Scheme of the code that an item holds."""
    return next(iter(texts(dataset, Tag(_CODE_SCHEME))), "").strip(" \0")


@cache
def _published() -> frozenset[tuple[str, str]]:
    """Scheme and value of the codes of PS3.16, those of SNOMED RT too."""
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping

    schemes: dict[str, dict[str, dict[str, object]]] = concepts  # type: ignore[assignment]
    found = {(name, code) for name, scheme in schemes.items() for codes in scheme.values() for code in codes}
    return frozenset(found | {("SRT", code) for code in mapping["SRT"]})
