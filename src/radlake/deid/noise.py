"""Differential privacy for counts, means and histograms of patients, with the mechanisms of OpenDP (extra `privacy`).

A patient is in one cell and brings one number, so adding or taking away a patient changes one count by one and one sum
by at most half the width of the stated bounds. Cells are of different patients, so their epsilons do not add up; those
of counts, and of the sum and the number of values of each mean, do.

References
----------
Dwork and Roth (2014), The Algorithmic Foundations of Differential Privacy, sections 3.3 and 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radlake.core.errors import UsageError
from radlake.deid.aggregates import Cell, Person, cell_of


@dataclass(frozen=True)
class Noisy:
    """A cell with noise.

    Parameters
    ----------
    cell : tuple of str
    count : float
        Patients, with noise.
    means : dict
        Means with noise, within their bounds.
    """

    cell: Cell
    count: int
    means: Mapping[str, float]


def threshold_delta(epsilon: float, k: int) -> float:
    """Chance that a cell of a single patient shows, when only noisy counts of at least k do.

    Examples
    --------
    >>> round(threshold_delta(1.0, 11), 7)
    3.32e-05
    """
    # Discrete Laplace of scale 1 / epsilon: P(X >= k - 1) = exp(-epsilon (k - 1)) / (1 + exp(-epsilon)).
    return math.exp(-epsilon * (k - 1)) / (1 + math.exp(-epsilon))


def noisy(
    people: Sequence[Person],
    *,
    by: Sequence[str],
    bounds: Mapping[str, tuple[float, float]],
    epsilon: float,
    k: int = 11,
    cells: Sequence[Cell] | None = None,
) -> tuple[list[Noisy], float]:
    """Counts, and means of the columns in `bounds`, with noise.

    Parameters
    ----------
    people : sequence of Person
        One for each patient.
    by : sequence of str
        Columns that make the cells.
    bounds : mapping of name to (low, high)
        Numbers outside are moved to the nearer bound before they count; the bounds must not come from the data.
    epsilon : float
        Privacy loss of the whole answer: shared equally by the counts and, for each mean, its sum and its number.
    k : int
        Cells with a noisy count below are left out.
    cells : sequence of tuple, optional
        All cells that there can be, known beforehand (a histogram): every one is shown then, and delta is 0.

    Returns
    -------
    lines : list of Noisy
    delta : float
        Chance that the mere presence of a cell tells of a patient, per answer.

    Raises
    ------
    UsageError
        When epsilon or a bound makes no sense, or the extra is not installed.
    """
    if not 0 < epsilon <= 100:
        raise UsageError("epsilon must be above 0 and at most 100; 1 is usual")
    if any(not (math.isfinite(low) and math.isfinite(high) and low < high) for low, high in bounds.values()):
        raise UsageError("bounds of a mean must be two numbers, the lower first")
    share = epsilon / (1 + 2 * len(bounds))
    groups: dict[Cell, list[Person]] = {cell: [] for cell in cells or ()}
    for person in people:
        cell = cell_of(person, by)
        if cells is None:
            groups.setdefault(cell, []).append(person)
        elif cell in groups:
            groups[cell].append(person)
    order = sorted(groups)
    counts = _laplace_counts([len(groups[cell]) for cell in order], share)
    ordered = [groups[cell] for cell in order]
    found = {name: _noisy_means(ordered, name, *ends, share) for name, ends in bounds.items()}
    lines = []
    for place, (cell, count) in enumerate(zip(order, counts, strict=True)):
        if cells is None and count < k:
            continue
        lines.append(Noisy(cell, max(0, count), {name: means[place] for name, means in found.items()}))
    return lines, 0.0 if cells is not None else threshold_delta(share, k)


def _noisy_means(groups: Sequence[Sequence[Person]], name: str, low: float, high: float, epsilon: float) -> list[float]:
    """For each cell a mean within its bounds: their middle, and the noisy sum of deviations over a noisy number."""
    middle = (low + high) / 2
    values = [[min(high, max(low, p.numbers[name])) - middle for p in group if name in p.numbers] for group in groups]
    numbers = _laplace_counts([len(v) for v in values], epsilon)
    sums = _laplace_sums([math.fsum(v) for v in values], (high - low) / 2 / epsilon)
    return [min(high, max(low, middle + s / max(1, n))) for s, n in zip(sums, numbers, strict=True)]


def _laplace_counts(counts: Sequence[int], epsilon: float) -> list[int]:
    """Counts with discrete Laplace noise of scale 1 / epsilon."""
    dp = _opendp()
    if not counts:
        return []
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    return list(dp.m.make_laplace(*space, scale=1 / epsilon)(list(counts)))


def _laplace_sums(sums: Sequence[float], scale: float) -> list[float]:
    """Sums with Laplace noise."""
    dp = _opendp()
    if not sums:
        return []
    space = dp.vector_domain(dp.atom_domain(T=float, nan=False)), dp.l1_distance(T=float)
    return list(dp.m.make_laplace(*space, scale=scale)(list(sums)))


def _opendp() -> Any:
    """The library, when it is needed."""
    try:
        import opendp.prelude as dp
    except ImportError:
        raise UsageError("noise needs an extra: pip install 'radlake[privacy]'") from None
    dp.enable_features("contrib")
    return dp
