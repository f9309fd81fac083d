"""A table of labels or clinical values brought to a lake: raw keys become pseudonyms, columns are cleaned.

Pure: tables in, rows out. A row whose key fits nothing, or more than one thing, is a fault and never a guess.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.stage import Row
from radlake.deid.columns import Cell, cleaner, safe_name
from radlake.deid.regions import region_name
from radlake.deid.rules import Rule, apply, number_of
from radlake.deid.units import Catalogue, On, Target, find_units, key_text

SOURCE = "table"
_STAGE = "join"


class MissingColumn(UsageError):  # noqa: N818 - names the problem
    """The table lacks a column that was asked for; the message suggests the nearest ones."""

    def __init__(self, name: str, known: Sequence[str], advice: str = ""):
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        hints = [f"near: {', '.join(near)}"] * bool(near) + [advice] * bool(advice)
        super().__init__("; ".join([f"the table has no column {name!r}", *hints]))


@dataclass
class Joined:
    """Rows for `labels`, `clinical` and `faults`."""

    labels: list[Row] = field(default_factory=list)
    clinical: list[Row] = field(default_factory=list)
    faults: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What to take from a table.

    Parameters
    ----------
    on : {"patient_id", "accession", "study_uid", "series_uid", "path"}
        What the key column holds. Paths match by their last whole components.
    column : str, optional
        Name of the key column where it is not `on`. Case, blanks and underscores of names do not count.
    targets, keep : tuple of str
        Columns that become labels, and columns that become clinical values.
    roi : str, optional
        Column that names the region a label belongs to; the unit is then the mask.
    issuers : tuple of str
        Issuers of patient ids to try beside none.
    rules : dict of column name -> Rule
        Own rules, in place of what is done to a column by its kind.
    """

    on: On
    column: str | None = None
    targets: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    roi: str | None = None
    issuers: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)


def resolve(table: pa.Table, catalogue: Catalogue, request: Request, *, key: bytes, owner: str) -> Joined:
    """Labels and clinical values of a table, by the lake's pseudonyms.

    Parameters
    ----------
    table : pyarrow.Table
        As read; identifying.
    catalogue : Catalogue
        The lake's units.
    request : Request
        What to take from the table, and how its rows are matched.
    key : bytes
        The owner's secret.
    owner : str
        Id of this join: `owner` of all rows.

    Raises
    ------
    MissingColumn
        When the table lacks one of the columns.
    """
    keys = _values(table, request.column or request.on, "" if request.column else "name the key's column with --column")
    rois = [str(v or "") for v in _values(table, request.roi)] if request.roi else []
    cells = {name: _values(table, name) for name in dict.fromkeys((*request.targets, *request.keep))}
    own = {_plain(name): rule for name, rule in request.rules.items()}
    clean = {
        name: _by_rule(name, own[_plain(name)], key) if _plain(name) in own else cleaner(name, values, key)
        for name, values in cells.items()
    }
    units = find_units(keys, catalogue, key=key, on=request.on, issuers=request.issuers)
    masks = _Masks(catalogue) if request.roi else None
    joined, labels = Joined(), _Labels(owner)
    for number, value in enumerate(keys, 1):
        try:
            target = _only(units.get(key_text(value), []), number)
            if masks is not None:
                target = _only(masks.named(rois[number - 1], target), number)
            moved_by = target.patient_id or target.study_id or target.unit_id
            found = {name: clean[name](cells[name][number - 1], moved_by) for name in cells}
            joined.clinical += _clinical(owner, target, {name: found[name] for name in request.keep})
            joined.labels += labels.of(target, {name: found[name] for name in request.targets}, number)
        except ItemError as error:
            joined.faults.append(_fault_row(owner, number, error))
    return joined


def _by_rule(name: str, rule: Rule, key: bytes) -> Callable[[Any, str], Cell]:
    """The function (value, unit_id) -> `Cell` for a column with an own rule."""

    def clean(value: Any, unit_id: str) -> Cell:
        text = None if key_text(value) == "" else apply(rule, key_text(value), key, name)
        return Cell() if text is None else Cell(number_of(text), text)

    return clean


def _values(table: pa.Table, name: str, advice: str = "") -> list[Any]:
    """A column by its name; case, blanks and underscores do not count where no name is equal."""
    if name in table.column_names:
        return list(table[name].to_pylist())
    plain = [n for n in table.column_names if _plain(n) == _plain(name)]
    if len(plain) != 1:
        raise MissingColumn(name, table.column_names, advice)
    return list(table[plain[0]].to_pylist())


def _plain(name: str) -> str:
    """Letters and digits of a name, lower case."""
    return re.sub(r"[\W_]+", "", name).lower()


def _only(found: Sequence[Target], row: int) -> Target:
    """The one unit that a key fits."""
    if not found:
        raise ItemError("unmatched_key", row=row)
    if len(found) > 1:
        raise ItemError("ambiguous_key", row=row, found=len(found))
    return found[0]


class _Masks:
    """Masks of a lake by series, by the file they come from, and by the cleaned name of their region."""

    def __init__(self, catalogue: Catalogue):
        self._by_place: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        if catalogue.masks is None or catalogue.images is None:
            raise ValueError("labels of regions need the lake's tables masks and images")
        images = catalogue.images.select(["image_id", "series_id"]).to_pylist()
        series = {r["image_id"]: r["series_id"] for r in images}
        for row in catalogue.masks.select(["mask_id", "image_id", "file_id", "roi"]).to_pylist():
            for place in (series.get(row["image_id"]), row["file_id"]):
                if place is not None:
                    self._by_place[place, row["roi"]].add(row["mask_id"])

    def named(self, roi: str, target: Target) -> list[Target]:
        """Masks of a unit whose region has this raw name."""
        name = region_name(roi, 0)
        ids = {m for place in target.files | target.series for m in self._by_place.get((place, name), ())}
        return [target._replace(unit="mask", unit_id=i) for i in sorted(ids)]


class _Labels:
    """Rows of `labels`, one for each unit and target."""

    def __init__(self, owner: str):
        self._owner = owner
        self._seen: dict[tuple[str, str, str], Cell] = {}

    def of(self, target: Target, cells: dict[str, Cell], row: int) -> Iterator[Row]:
        """Labels of one row; a unit that already has the value gives none, one with another value is a fault."""
        for name, cell in cells.items():
            place = (target.unit, target.unit_id, name)
            if cell == Cell() or self._seen.get(place) == cell:
                continue
            if place in self._seen:
                raise ItemError("conflicting_label", row=row)
            self._seen[place] = cell
            yield {
                "owner": self._owner,
                "unit": target.unit,
                "unit_id": target.unit_id,
                "patient_id": target.patient_id,
                "target": safe_name(name),
                "value": cell.number,
                "text": cell.text,
            }


def _clinical(owner: str, target: Target, cells: dict[str, Cell]) -> Iterator[Row]:
    """Rows of `clinical` for the kept columns of one row."""
    for name, cell in cells.items():
        if cell != Cell():
            yield {
                "owner": owner,
                "patient_id": target.patient_id,
                "study_id": target.study_id,
                "source": SOURCE,
                "name": safe_name(name),
                "value": cell.text,
                "number": cell.number,
                "unit": None,
            }


def _fault_row(owner: str, row: int, error: ItemError) -> Row:
    """A row of `faults` for one row of the table."""
    fault = error.fault(_STAGE)
    return {
        "owner": owner,
        "unit": "row",
        "unit_id": f"{owner}:{row}",
        "file_id": None,
        "stage": fault.stage,
        "code": fault.code,
        "message": fault.message,
        "hint": fault.hint,
        "ignored": fault.ignored,
    }
