"""Which features can be trusted, as one judgement: reliable when measured again, and the first of their like.

`radlake.features.transformer.StableFeatures` takes it inside scikit-learn's pipelines, on training cases only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radlake.features.stability import Agreement, icc, redundant

Floats = NDArray[np.float64]
_LEAST_CASES = 3  # an agreement of two cases is no evidence, nor is a rank correlation


@dataclass(frozen=True)
class Verdict:
    """What is known of a feature's stability.

    Parameters
    ----------
    agreement : Agreement or None
        ICC(2,1) with its interval; None with fewer than three cases measured in full, or where nothing varies.
    cases, measurements : int
        Cases that were measured in full, and how often each.
    reliable : bool
        Whether the agreement reaches the bound.
    cluster : int or None
        Number, from 1, of the cluster of reliable features that say nearly the same.
    kept : bool
        Whether it is the first of its cluster.
    """

    agreement: Agreement | None
    cases: int
    measurements: int
    reliable: bool
    cluster: int | None = None
    kept: bool = False


def verdicts(
    values: Mapping[str, Floats],
    *,
    least: float = 0.75,
    by_lower_bound: bool = True,
    redundancy: float | None = 0.9,
) -> dict[str, Verdict]:
    """Stability of features from repeated measurements of the same cases.

    Parameters
    ----------
    values : mapping of name to (n, k) array
        n cases, each measured k times, the first measurement being the usual one; NaN where there is no value.
    least : float
        Of ICC(2,1): 0.75 is "good" by Koo and Li.
    by_lower_bound : bool
        Whether the lower end of its 95 % interval must reach that.
    redundancy : float or None
        Reliable features whose first measurements have an absolute rank correlation of at least this much are one
        cluster; None: each is a cluster of its own.

    References
    ----------
    As in `radlake.features.stability`.

    Examples
    --------
    >>> steady = np.array([[1.0, 1.1], [5, 5.1], [9, 9], [2, 2]])
    >>> found = verdicts({"a": steady, "b": 2 * steady, "c": steady[::-1] * [1, -1]})
    >>> [(name, v.reliable, v.cluster, v.kept) for name, v in found.items()]
    [('a', True, 1, True), ('b', True, 1, False), ('c', False, None, False)]
    """
    judged = {name: _judged(ratings, least, by_lower_bound) for name, ratings in values.items()}
    names = [name for name, verdict in judged.items() if verdict.reliable]
    for number, cluster in enumerate(_clusters(values, names, redundancy), 1):
        for name in cluster:
            before = judged[name]
            judged[name] = Verdict(
                before.agreement, before.cases, before.measurements, True, number, kept=name == cluster[0]
            )
    return judged


def _judged(ratings: Floats, least: float, by_lower_bound: bool) -> Verdict:
    """Reliability of one feature."""
    whole = ratings[np.isfinite(ratings).all(axis=1)]
    cases, measurements = whole.shape
    if measurements < 2:
        return Verdict(None, 0, measurements, reliable=False)
    if cases < _LEAST_CASES:
        return Verdict(None, cases, measurements, reliable=False)
    found = icc(whole)
    if not np.isfinite(found.icc):
        return Verdict(None, cases, measurements, reliable=False)
    reached = found.low if by_lower_bound else found.icc
    return Verdict(found, cases, measurements, reliable=bool(reached >= least))


def _clusters(values: Mapping[str, Floats], names: Sequence[str], redundancy: float | None) -> list[list[str]]:
    """Clusters of reliable features by their first measurements; a missing one is taken to be the median."""
    if redundancy is None or len(names) < 2:
        return [[name] for name in names]
    table = np.stack([values[name][:, 0] for name in names], axis=1)
    table = np.where(np.isfinite(table), table, np.nanmedian(np.where(np.isfinite(table), table, np.nan), axis=0))
    return redundant(table, names, threshold=redundancy)
