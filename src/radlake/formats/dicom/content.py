"""Structured reports: the content tree as flat statements, and the names of persons in it.

PS3.3 C.17.3 describes the tree, PS3.3 C.17.3.2.1 the value types.
"""

from __future__ import annotations

from collections.abc import Iterator

from radlake.core.header import Text
from radlake.formats.dicom.elements import Elements


def statements(document: Elements) -> list[Text]:
    """Texts, codes and numbers of a structured report, depth first; `path` counts children from 1 ("1.3.2").

    Containers, persons, dates, UIDs, coordinates and references are no statements.
    """
    return [text for path, item in _walk(document, ()) if (text := _statement(item, path)) is not None]


def _walk(item: Elements, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Elements]]:
    """Content items below an item with their places."""
    for number, child in enumerate(item.items("ContentSequence"), start=1):
        place = (*path, number)
        yield place, child
        yield from _walk(child, place)


def _statement(item: Elements, path: tuple[int, ...]) -> Text | None:
    """One content item as a statement, if it is one."""
    kind = item.text("ValueType")
    value: str | None = None
    unit: str | None = None
    if kind == "TEXT":
        value = item.text("TextValue")
    elif kind == "CODE":
        value = meaning(item.first("ConceptCodeSequence"))
    elif kind == "NUM":
        measured = item.first("MeasuredValueSequence")
        value = measured.text("NumericValue")
        unit = measured.first("MeasurementUnitsCodeSequence").text("CodeValue")
    if value is None:
        return None
    name = meaning(item.first("ConceptNameCodeSequence")) or ""
    return Text(name, value, unit, ".".join(map(str, path)))


def meaning(code: Elements) -> str | None:
    """Meaning of a coded entry, else its code."""
    return code.text("CodeMeaning") or code.text("CodeValue")
