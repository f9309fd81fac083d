"""Safe statistics of a lake: named aggregates over named columns, of patients, never free SQL.

Without noise, small cells and their complements are withheld. With it, every answer spends from a budget that the lake
keeps in its private part: a file that only grows and is written before an answer is given, so that no crash gives one
away for nothing.
"""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from radlake.core.errors import RadlakeError, UsageError
from radlake.deid.aggregates import LEAST_K, Cell, Line, Person, aggregate, binned
from radlake.deid.noise import Noisy, noisy, threshold_delta
from radlake.lake.durable import write_bytes
from radlake.lake.store import Lake

LEDGER = "privacy_budget.jsonl"
DEFAULT_BUDGET = 10.0
_SERIES = ("sex", "modality", "body_part", "manufacturer")
_AGE = (0.0, 90.0)
_SLACK = 1e-9  # of adding floats


class BudgetSpent(RadlakeError):  # noqa: N818 - names the problem
    """The privacy budget of the lake does not allow another answer."""


@dataclass(frozen=True)
class Question:
    """What is asked.

    Parameters
    ----------
    by, means : tuple of str
        Columns that make cells, and numbers to average.
    bins : dict
        Ascending edges of numbers that make cells, by column.
    k : int
        Least number of patients in a cell.
    epsilon : float or None
        Privacy loss of the answer; None: exact numbers, small cells withheld.
    bounds : dict
        Least and most of each mean, needed with epsilon; age has 0 to 90.
    """

    by: tuple[str, ...]
    means: tuple[str, ...] = ()
    bins: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    k: int = 11
    epsilon: float | None = None
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """Lines, and with noise what the answer cost and what is left.

    Parameters
    ----------
    lines : list of Line or Noisy
    epsilon, delta, left : float or None
    unknown : int or None
        Series without a known patient, which no aggregate counts; None where fewer than k, and with noise.
    """

    lines: Sequence[Line | Noisy]
    epsilon: float | None = None
    delta: float | None = None
    left: float | None = None
    unknown: int | None = None


def statistics(lake: Lake, question: Question, *, budget: float = DEFAULT_BUDGET) -> Answer:
    """Aggregates over the patients of a lake.

    Parameters
    ----------
    lake : Lake
    question : Question
    budget : float
        Total epsilon of the lake; it is fixed by the first answer with noise and only counts then.

    Raises
    ------
    UsageError
        When a column is not there, k is below 2, or a bound is missing.
    BudgetSpent
        When the answer would cost more than is left; nothing is answered then.
    """
    if question.k < LEAST_K:
        raise UsageError(f"k must be at least {LEAST_K}; 11 is usual for health data")
    if not question.by:
        raise UsageError("name at least one column with --by")
    people, unknown = _people(lake, question)
    if question.epsilon is None:
        lines = aggregate(people, by=question.by, means=question.means, k=question.k)
        return Answer(lines, unknown=unknown if unknown >= question.k else None)
    bounds = {name: question.bounds.get(name, _AGE if name == "age" else None) for name in question.means}
    if missing := [name for name, ends in bounds.items() if ends is None]:
        raise UsageError(f"noise needs the least and most of {missing[0]!r}: --bounds {missing[0]}=0:100")
    sure = {name: ends for name, ends in bounds.items() if ends is not None}
    share = question.epsilon / (1 + 2 * len(sure))
    cells = _all_cells(question)
    delta = 0.0 if cells is not None else threshold_delta(share, question.k)
    left = _spend(lake, question, delta, budget)
    lines_, _ = noisy(people, by=question.by, bounds=sure, epsilon=question.epsilon, k=question.k, cells=cells)
    return Answer(lines_, question.epsilon, delta, left)


def _people(lake: Lake, question: Question) -> tuple[list[Person], int]:
    """Every known patient with the columns that are asked for, and how many series have none."""
    numbers = _numbers(lake, {*question.means, *question.bins})
    values: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = lake.read("series", columns=["patient_id", "patient_known", *_SERIES]).to_pylist()
    unknown = 0
    for row in rows:
        if row["patient_id"] is None or not row["patient_known"]:
            unknown += 1
            continue
        for name in _SERIES:
            if row[name] is not None:
                values[row["patient_id"]][name].add(str(row[name]))
            else:
                values[row["patient_id"]].setdefault(name, set())
    categories = _categories(lake)
    _check([*question.by], {*_SERIES, *question.bins, *categories})
    people = []
    for patient in sorted(values):
        own: dict[str, frozenset[str]] = {name: frozenset(found) for name, found in values[patient].items()}
        own |= {name: frozenset(found.get(patient, ())) for name, found in categories.items()}
        mine = {name: found[patient] for name, found in numbers.items() if patient in found}
        own |= {name: frozenset({str(binned(mine.get(name), edges))}) for name, edges in question.bins.items()}
        people.append(Person(own, {name: mine[name] for name in question.means if name in mine}))
    return people, unknown


def _numbers(lake: Lake, wanted: set[str]) -> dict[str, dict[str, float]]:
    """One number for each patient by column: the mean of what the lake has."""
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in lake.read("series", columns=["patient_id", "age_years"]).to_pylist():
        if row["age_years"] is not None and row["patient_id"] is not None:
            found["age"][row["patient_id"]].append(row["age_years"])
    for row in lake.read("clinical", columns=["patient_id", "name", "number"]).to_pylist():
        if row["number"] is not None and row["patient_id"] is not None:
            found[row["name"]][row["patient_id"]].append(row["number"])
    _check(wanted, {"age", *found})
    return {name: {p: sum(v) / len(v) for p, v in sorted(found[name].items())} for name in sorted(wanted)}


def _categories(lake: Lake) -> dict[str, dict[str, set[str]]]:
    """Values of clinical columns that hold words, by column and patient."""
    found: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in lake.read("clinical", columns=["patient_id", "name", "value", "number"]).to_pylist():
        if row["number"] is None and row["value"] is not None and row["patient_id"] is not None:
            found[row["name"]][row["patient_id"]].add(row["value"])
    return {name: dict(patients) for name, patients in found.items()}


def _check(names: Sequence[str] | set[str], known: set[str]) -> None:
    """Refuse columns that are not there."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise UsageError(f"no column {name!r}; {hint}")


def _all_cells(question: Question) -> list[Cell] | None:
    """Every cell that there can be, where all columns are bins that the asker chose."""
    if len(question.by) != 1 or question.by[0] not in question.bins:
        return None
    edges = question.bins[question.by[0]]
    return [(f"{low:g}-{high:g}",) for low, high in pairwise(edges)]


def _spend(lake: Lake, question: Question, delta: float, budget: float) -> float:
    """Write down what an answer costs, before it is given; return what is left of epsilon."""
    path = lake.private / LEDGER
    with lake.lock():
        written = path.read_bytes() if path.exists() else b""
        entries = [json.loads(line) for line in written.splitlines()]
        total = entries[0]["budget"] if entries else budget
        left = total - sum(entry["epsilon"] for entry in entries[1:])
        cost = float(question.epsilon or 0)
        if not 0 < cost <= 100:
            raise UsageError("epsilon must be above 0 and at most 100; 1 is usual")
        if cost > left + _SLACK:
            raise BudgetSpent(f"the answer would cost epsilon {cost:g}, and {max(0.0, left):g} of {total:g} is left")
        new: list[dict[str, Any]] = [] if entries else [{"budget": budget}]
        asked = {name: value for name, value in asdict(question).items() if name in {"by", "means", "bins", "k"}}
        new.append({"epsilon": cost, "delta": delta, "asked": asked})
        write_bytes(path, written + "".join(json.dumps(entry) + "\n" for entry in new).encode())
    return float(left - cost)
