"""Aggregates that tell of no person: counts and means of patients by cells, small cells and their complements withheld.

Every patient is in exactly one cell: who has several values in a column (CT and MR) is of a kind of its own, "CT+MR".
So cells add up to their margins, and what can be computed from the published numbers is a question of linear equations,
which `withheld` answers with linear programming. Noise for differential privacy is in `noise`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

import numpy as np

ALL = "(all)"
UNKNOWN = "(unknown)"
LEAST_K = 2
Cell = tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """One patient: values by column, and numbers to average."""

    values: Mapping[str, frozenset[str]]
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A published line.

    Parameters
    ----------
    cell : tuple of str
        A value for each column; "(all)" in a margin.
    count : int or None
        Patients; None where withheld.
    means : dict
        By name; None where withheld.
    """

    cell: Cell
    count: int | None
    means: Mapping[str, float | None]


def cell_of(person: Person, by: Sequence[str]) -> Cell:
    """The cell of a patient.

    Examples
    --------
    >>> cell_of(Person({"modality": frozenset({"MR", "CT"}), "sex": frozenset()}), ["modality", "sex"])
    ('CT+MR', '(unknown)')
    """
    return tuple("+".join(sorted(person.values.get(name, ()))) or UNKNOWN for name in by)


def aggregate(people: Iterable[Person], *, by: Sequence[str], means: Sequence[str] = (), k: int = 11) -> list[Line]:
    """Counts and means by cell and margin; withheld where fewer than k patients, or a complement, would show.

    Parameters
    ----------
    people : iterable of Person
        One for each patient.
    by, means : sequence of str
        Columns that make the cells, and numbers to average.
    k : int
        Least number of patients in a published cell, at least 2; 11 is usual for health data (CMS cell size policy).

    Returns
    -------
    list of Line
        Cells in alphabetical order, then margins; cells without a patient are left out.

    Examples
    --------
    >>> people = [Person({"sex": frozenset({s})}) for s in "FFFFFMMMMMMO"]
    >>> [(line.cell, line.count) for line in aggregate(people, by=["sex"], k=3)]
    [(('F',), None), (('M',), 6), (('O',), None), (('(all)',), 12)]
    """
    if k < LEAST_K:
        raise ValueError(f"k must be at least {LEAST_K}")
    counts: defaultdict[Cell, int] = defaultdict(int)
    numbers: dict[str, defaultdict[Cell, list[float]]] = {name: defaultdict(list) for name in means}
    for person in people:
        cell = cell_of(person, by)
        counts[cell] += 1
        for name in means:
            value = person.numbers.get(name)
            if value is not None and math.isfinite(value):
                numbers[name][cell].append(value)
    hidden = withheld(counts, k)
    shown = {name: set(margins(found)) - withheld({c: len(v) for c, v in found.items()}, k) - hidden
             for name, found in numbers.items()}  # fmt: skip
    totals = margins(counts)
    return [
        Line(
            cell,
            None if cell in hidden else totals[cell],
            {name: _mean(numbers[name], cell) if cell in shown[name] else None for name in means},
        )
        for cell in _ordered(totals)
    ]


def margins(counts: Mapping[Cell, Any]) -> dict[Cell, int]:
    """Counts of all cells and of all their margins.

    Examples
    --------
    >>> margins({("F", "CT"): 2, ("M", "CT"): 3})[("(all)", "CT")]
    5
    """
    totals: defaultdict[Cell, int] = defaultdict(int)
    for cell, count in counts.items():
        for margin in set(_margins_of(cell)):
            totals[margin] += len(count) if isinstance(count, list) else count
    return dict(totals)


def withheld(counts: Mapping[Cell, int], k: int) -> set[Cell]:
    """Cells and margins that may not be published: below k, and complements from which those could be computed.

    More are withheld until whoever knows all published numbers, and that counts are not negative, cannot tell the
    number in any small cell to within k.

    Parameters
    ----------
    counts : mapping of cell to int
        Inner cells; a value for each column.
    k : int

    References
    ----------
    Willenborg and de Waal (2001), Elements of Statistical Disclosure Control, chapters 6 and 8 (secondary suppression).
    """
    totals = margins(counts)
    inner = sorted(counts)
    small = {cell for cell, count in totals.items() if 0 < count < k}
    hidden = set(small)
    while True:
        exposed = next((c for c in sorted(small) if _width(c, totals, inner, hidden) < k), None)
        if exposed is None:
            return hidden
        hidden.add(_complement(exposed, totals, hidden))


def _complement(exposed: Cell, totals: Mapping[Cell, int], hidden: set[Cell]) -> Cell:
    """The next cell to withhold: rather a cell than a margin, near the exposed one, and small."""

    def cost(cell: Cell) -> tuple[int, int, int, Cell]:
        apart = sum(a != b for a, b in zip(cell, exposed, strict=True))
        return cell.count(ALL), apart, totals[cell], cell

    return min((cell for cell in totals if cell not in hidden), key=cost)


def _width(cell: Cell, totals: Mapping[Cell, int], inner: Sequence[Cell], hidden: set[Cell]) -> float:
    """Length of the interval in which the number of a cell must lie, given all that is published."""
    from scipy.optimize import linprog

    published = [c for c in totals if c not in hidden]
    if not published:
        return math.inf
    place = {c: i for i, c in enumerate(inner)}
    rows = np.array([_row(c, place) for c in published])
    right = np.array([totals[c] for c in published], float)
    aim = _row(cell, place)
    ends = []
    for sign in (1, -1):
        found = linprog(sign * aim, A_eq=rows, b_eq=right, bounds=(0, None), method="highs")
        ends.append(sign * found.fun if found.status == 0 else sign * -math.inf)  # status 3: unbounded
    return float(ends[1] - ends[0])


def _row(cell: Cell, place: Mapping[Cell, int]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Which inner cells add up to a cell or margin."""
    row = np.zeros(len(place))
    for inner, number in place.items():
        if all(part in (ALL, own) for part, own in zip(cell, inner, strict=True)):
            row[number] = 1
    return row


def _margins_of(cell: Cell) -> Iterable[Cell]:
    """The cell itself and every margin it is part of."""
    places = range(len(cell))
    for count in range(len(cell) + 1):
        for some in combinations(places, count):
            yield tuple(ALL if place in some else part for place, part in enumerate(cell))


def _mean(found: Mapping[Cell, Sequence[float]], cell: Cell) -> float | None:
    """Mean of the numbers in a cell or margin."""
    values = [v for inner, several in sorted(found.items()) if cell in set(_margins_of(inner)) for v in several]
    return math.fsum(values) / len(values) if values else None


def _ordered(cells: Iterable[Cell]) -> list[Cell]:
    """Cells first, margins behind, the total last."""
    return sorted(cells, key=lambda cell: (cell.count(ALL), cell))


def binned(value: float | None, edges: Sequence[float]) -> Hashable:
    """The bin of a number by ascending edges, as text; unknown outside them.

    Examples
    --------
    >>> binned(47.0, [0, 40, 60]), binned(90.0, [0, 40, 60])
    ('40-60', '(unknown)')
    """
    for low, high in pairwise(edges):
        if value is not None and low <= value < high:
            return f"{low:g}-{high:g}"
    return UNKNOWN
