"""Table 1: who is in each part of a cohort, and whether the parts differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST = 10  # values of an attribute that are listed; the rest is "other"


@dataclass(frozen=True)
class Entry:
    """One line of table 1.

    Parameters
    ----------
    name : str
        Attribute.
    value : str
        One of its values; empty for a quantity.
    parts : mapping
        Part of the cohort -> text: "n (share)", or "median [lower quartile, upper quartile]".
    difference : float
        Largest standardised difference between two parts; above .1 is worth a look.
    """

    name: str
    value: str
    parts: Mapping[str, str]
    difference: float


def table_one(attributes: Mapping[str, NDArray[Any]], part: NDArray[Any]) -> list[Entry]:
    """Lines for every attribute, in their order.

    Parameters
    ----------
    attributes : mapping
        (N,) arrays by name: numbers are quantities, all else are words. None and NaN are missing.
    part : (N,) array of str
        Part of each case, such as "train" and "test".

    References
    ----------
    Austin (2009), Balance diagnostics for comparing the distribution of baseline covariates, Statistics in Medicine 28,
    3083-3107, for standardised differences.

    Examples
    --------
    >>> lines = table_one({"age": np.array([50.0, 60, 70, 80])}, np.array(["train", "train", "test", "test"]))
    >>> dict(lines[0].parts)
    {'test': '75.0 [72.5, 77.5]', 'train': '55.0 [52.5, 57.5]'}
    """
    found = []
    for name, values in attributes.items():
        known = np.array([v is not None and v == v for v in values.tolist()])  # noqa: PLR0124 - NaN
        if not known.any():
            continue
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values[known].tolist()):
            found.append(_quantity(name, values[known].astype(np.float64), part[known]))
        else:
            found += _words(name, values[known].astype(str), part[known])
        if missing := int((~known).sum()):
            counts = {str(p): _share(int((part[~known] == p).sum()), int((part == p).sum())) for p in np.unique(part)}
            found.append(Entry(name, f"not known ({missing})", counts, float("nan")))
    return found


def _quantity(name: str, values: NDArray[np.float64], part: NDArray[Any]) -> Entry:
    """Median and quartiles of each part."""
    texts, moments = {}, []
    for p in np.unique(part):
        own = values[part == p]
        low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
        texts[str(p)] = (
            f"{middle:.3g} [{low:.3g}, {high:.3g}]" if middle >= 100 else f"{middle:.1f} [{low:.1f}, {high:.1f}]"
        )
        moments.append((own.mean(), own.var(ddof=1) if len(own) > 1 else 0.0))
    return Entry(name, "", texts, _largest(moments))


def _words(name: str, values: NDArray[np.str_], part: NDArray[Any]) -> list[Entry]:
    """Count and share of each value in each part, frequent ones first."""
    kinds, counts = np.unique(values, return_counts=True)
    order = [str(k) for k in kinds[np.argsort(-counts, kind="stable")]]
    shown = order if len(order) <= _MOST else [*order[: _MOST - 1], "other"]
    labels = np.where(np.isin(values, shown), values, "other")
    entries = []
    for value in shown:
        texts, moments = {}, []
        for p in np.unique(part):
            own = labels[part == p] == value
            texts[str(p)] = _share(int(own.sum()), len(own))
            share = float(own.mean())
            moments.append((share, share * (1 - share)))
        entries.append(Entry(name, value, texts, _largest(moments)))
    return entries


def _share(n: int, of: int) -> str:
    """Count with its share."""
    return f"{n} ({n / of:.0%})" if of else "0"


def _largest(moments: list[tuple[float, float]]) -> float:
    """Largest standardised difference between two parts, from their means and variances."""
    pairs = [(a, b) for i, a in enumerate(moments) for b in moments[:i]]
    gaps = [abs(a[0] - b[0]) / ((a[1] + b[1]) / 2) ** 0.5 if a[1] + b[1] > 0 else 0.0 for a, b in pairs]
    return float(max(gaps, default=0.0))
