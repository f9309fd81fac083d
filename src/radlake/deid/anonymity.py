"""How alike people are in a table: k-anonymity, l-diversity, t-closeness, and generalisation until a k is reached.

Quasi-identifiers are the columns that somebody could know from elsewhere (age, sex, post code); a class is all rows
that are equal in them. Reports are of released tables; they say nothing of what else an attacker knows.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from radlake.core.errors import UsageError

Class = tuple[Any, ...]


@dataclass(frozen=True)
class Anonymity:
    """What a table promises.

    Parameters
    ----------
    rows, classes : int
    k : int
        Rows of the smallest class.
    alone : int
        Rows that no other row equals.
    diversity : dict
        By sensitive column: least number of distinct values in a class (distinct l-diversity).
    entropy : dict
        By sensitive column: exponential of the least entropy in a class (entropy l-diversity).
    closeness : dict
        By sensitive column: largest earth mover's distance of a class from the whole table (t-closeness).
    """

    rows: int
    classes: int
    k: int
    alone: int
    diversity: Mapping[str, int]
    entropy: Mapping[str, float]
    closeness: Mapping[str, float]


def measure(table: pa.Table, quasi: Sequence[str], sensitive: Sequence[str] = ()) -> Anonymity:
    """k, l and t of a table.

    Parameters
    ----------
    table : pyarrow.Table
    quasi, sensitive : sequence of str
        Names of columns.

    Raises
    ------
    UsageError
        When a column is missing, a column is both, or the table is empty.

    References
    ----------
    Sweeney (2002), k-anonymity, IJUFKS 10(5); Machanavajjhala et al. (2007), l-diversity, TKDD 1(1); Li, Li and
    Venkatasubramanian (2007), t-closeness, ICDE.

    Examples
    --------
    >>> table = pa.table({"zip": ["476", "476", "479"], "disease": ["flu", "flu", "asthma"]})
    >>> found = measure(table, ["zip"], ["disease"])
    >>> found.k, found.alone, found.diversity
    (1, 1, {'disease': 1})
    """
    _check(table, quasi, sensitive)
    groups = _groups(table, quasi)
    columns = {name: table[name].to_pylist() for name in sensitive}
    sizes = [len(rows) for rows in groups.values()]
    within = {name: [[values[r] for r in rows] for rows in groups.values()] for name, values in columns.items()}
    return Anonymity(
        table.num_rows,
        len(groups),
        min(sizes),
        sizes.count(1),
        {name: min(len(set(values)) for values in parts) for name, parts in within.items()},
        {name: min(math.exp(_entropy(values)) for values in parts) for name, parts in within.items()},
        {name: max(distance(values, columns[name]) for values in parts) for name, parts in within.items()},
    )


def distance(part: Sequence[Any], whole: Sequence[Any]) -> float:
    """Earth mover's distance of a class's values from the table's: ordered for numbers, equal for words; 0 to 1.

    Examples
    --------
    >>> salaries = [3, 4, 5, 6, 11, 8, 7, 9, 10]
    >>> round(distance([3, 4, 5], salaries), 3), round(distance([6, 8, 11], salaries), 3)
    (0.375, 0.167)
    """
    p, q = Counter(part), Counter(whole)
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in whole):
        values, moved, total = sorted(q), 0.0, 0.0
        for value in values[:-1]:
            moved += p[value] / len(part) - q[value] / len(whole)
            total += abs(moved)
        return total / max(1, len(values) - 1)
    return sum(abs(p[v] / len(part) - q[v] / len(whole)) for v in q) / 2


def reach(table: pa.Table, quasi: Sequence[str], k: int) -> pa.Table:
    """The table with its quasi-identifiers generalised until every class has at least k rows (strict Mondrian).

    The rows are halved at the median of the column that is spread widest, relative to the whole table, as long as both
    halves hold k rows; numbers become ranges, words become sets.

    Parameters
    ----------
    table : pyarrow.Table
        At least k rows.
    quasi : sequence of str
    k : int
        At least 2.

    References
    ----------
    LeFevre, DeWitt and Ramakrishnan (2006), Mondrian multidimensional k-anonymity, ICDE.

    Examples
    --------
    >>> table = pa.table({"age": [21, 25, 30, 62], "sex": ["F", "M", "F", "F"]})
    >>> reach(table, ["age"], 2)["age"].to_pylist()
    ['21-25', '21-25', '30-62', '30-62']
    """
    _check(table, quasi, ())
    if not 2 <= k <= table.num_rows:
        raise UsageError(f"k must be at least 2 and at most the {table.num_rows} rows of the table")
    columns = {name: table[name].to_pylist() for name in quasi}
    ranks = {name: _ranks(values) for name, values in columns.items()}
    new: dict[str, list[str]] = {name: [""] * table.num_rows for name in quasi}
    for rows in _parts(list(range(table.num_rows)), ranks, k):
        for name in quasi:
            text = _generalised([columns[name][r] for r in rows])
            for row in rows:
                new[name][row] = text
    for name in quasi:
        table = table.set_column(table.column_names.index(name), name, pa.array(new[name], pa.string()))
    return table


def _parts(rows: list[int], ranks: Mapping[str, Sequence[int]], k: int) -> list[list[int]]:
    """Rows parted as far as k allows."""
    done, open_ = [], [rows]
    widest = {name: max(1, *values) for name, values in ranks.items()}
    while open_:
        part = open_.pop()
        halves = None
        for name in sorted(ranks, key=lambda n: (-_spread(part, ranks[n]) / widest[n], n)):
            halves = _halved(part, ranks[name], k)
            if halves:
                break
        if halves:
            open_ += halves
        else:
            done.append(part)
    return done


def _spread(rows: Sequence[int], ranks: Sequence[int]) -> int:
    """Difference between the largest and the smallest rank."""
    found = [ranks[r] for r in rows]
    return max(found) - min(found)


def _halved(rows: Sequence[int], ranks: Sequence[int], k: int) -> list[list[int]] | None:
    """Rows below and above the median, equal ones together; None where a half would be smaller than k."""
    order = sorted(ranks[r] for r in rows)
    middle = order[len(order) // 2]
    for cut in (middle, middle + 1):  # the median itself goes up, or down
        low, high = [r for r in rows if ranks[r] < cut], [r for r in rows if ranks[r] >= cut]
        if len(low) >= k and len(high) >= k:
            return [low, high]
    return None


def _ranks(values: Sequence[Any]) -> list[int]:
    """Place of each value among the distinct ones; missing ones come first."""
    order = {v: i for i, v in enumerate(sorted({v for v in values if v is not None}, key=_sortable))}
    return [0 if v is None else order[v] + 1 for v in values]


def _sortable(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then everything else by its text."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (not number, float(value) if number else 0.0, str(value))


def _generalised(values: Sequence[Any]) -> str:
    """A range of numbers or a set of words that holds all values."""
    distinct = sorted({v for v in values if v is not None}, key=_sortable)
    missing = ["missing"] if any(v is None for v in values) else []
    if len(distinct) > 1 and all(not _sortable(v)[0] for v in distinct):
        return ", ".join([f"{distinct[0]:g}-{distinct[-1]:g}", *missing])
    return ", ".join([*(f"{v:g}" if not _sortable(v)[0] else str(v) for v in distinct), *missing])


def _groups(table: pa.Table, quasi: Sequence[str]) -> dict[Class, list[int]]:
    """Row numbers by class."""
    groups: defaultdict[Class, list[int]] = defaultdict(list)
    for row, key in enumerate(zip(*(table[name].to_pylist() for name in quasi), strict=True)):
        groups[key].append(row)
    return dict(groups)


def _entropy(values: Sequence[Any]) -> float:
    """Entropy in nats."""
    return -sum(n / len(values) * math.log(n / len(values)) for n in Counter(values).values())


def _check(table: pa.Table, quasi: Sequence[str], sensitive: Sequence[str]) -> None:
    """Refuse columns that are not there, and tables of nobody."""
    if not quasi:
        raise UsageError("name at least one quasi-identifier, such as age or sex")
    for name in (*quasi, *sensitive):
        if name not in table.column_names:
            raise UsageError(f"the table has no column {name!r}; there are {', '.join(table.column_names)}")
    if set(quasi) & set(sensitive):
        raise UsageError("a column is either a quasi-identifier or sensitive, not both")
    if not table.num_rows:
        raise UsageError("the table has no rows")
