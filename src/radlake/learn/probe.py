"""What each family of models of tables costs on this machine and these data: seconds and memory of one fit."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from radlake.learn.clock import Clock
from radlake.learn.families import CURVES, Family, options
from radlake.learn.problem import Problem
from radlake.learn.trial import fit_quietly
from radlake.learn.validate import decisions

_PROBE = 250  # cases; fewer say little on the growth of the time
_LEAST = 0.25  # share of the seconds that grow with the cases, at least
_COPIES = 5  # of the data that a pipeline holds at once: as given, a fold of it, filled, scaled, in the solver


@dataclass(frozen=True)
class Cost:
    """What one fit on all cases is expected to take.

    Parameters
    ----------
    seconds : float
    bytes : int
        Of memory at once.
    """

    seconds: float
    bytes: int = 0


def probe(
    families: Mapping[str, Family], given: Problem, clock: Clock, *, until: float, seed: int, memory_bytes: int
) -> tuple[dict[str, Cost], dict[str, str]]:
    """What one fit of each family takes on all cases, and why it is no use to try the others.

    The usual settings are fitted on a tenth of the cases (250 at least) and on half of these. What both take is a start
    that all fits have; the rest grows as the family says. Memory is that of the data, several times over, and of the
    model, which grows with the cases.

    Parameters
    ----------
    families : mapping
    given : Problem
    clock : Clock
    until : float
        Share of the budget.
    seed : int
    memory_bytes : int
        That a fit may take.
    """
    n = len(given.y)
    order = np.random.default_rng(seed).permutation(n)
    sizes = [min(n, max(_PROBE, n // 10)) // 2, min(n, max(_PROBE, n // 10))]
    costs, refused = {}, {}
    for name in sorted(families, key=CURVES.__eq__):  # last, since it loads a package of its own
        family = families[name]
        if not clock.allows(f"probe/{name}", needs=0.0, until=until):
            refused[name] = "the budget was gone before its cost was known"
            continue
        taken = [_fitted(family, given, order[:size], seed) for size in sizes]
        grown = [(size / n) ** family.growth for size in sizes]
        seconds = extrapolated(grown, [second for second, _ in taken])
        costs[name] = Cost(seconds, _COPIES * given.inputs.nbytes + taken[-1][1] * n // sizes[-1])
        if clock.notes(f"memory/{name}", holds=costs[name].bytes > memory_bytes):
            refused[name] = too_large(costs[name].bytes, memory_bytes)
    return costs, refused


def too_large(needs: int, memory_bytes: int) -> str:
    """Why a family is not tried that needs more memory than it may take."""
    return f"it takes about {needs / 2**30:.1f} GiB of memory, more than the {memory_bytes / 2**30:.1f} GiB allowed"


def extrapolated(shares: list[float], seconds: list[float]) -> float:
    """Seconds where the share is 1, from two smaller shares: a start that is always there, and what grows.

    Short times are uncertain: no less is expected than a quarter of what there would be without a start.

    Examples
    --------
    >>> extrapolated([0.1, 0.2], [1.5, 2.0])
    6.0
    >>> extrapolated([0.1, 0.2], [2.0, 1.0])  # chance, or a first call that loads what it needs
    1.25
    """
    slope = max(0.0, (seconds[1] - seconds[0]) / (shares[1] - shares[0]))
    whole = seconds[1] / shares[1]
    return min(max(seconds[1] + slope * (1 - shares[1]), _LEAST * whole), whole)


def _fitted(family: Family, given: Problem, chosen: np.ndarray, seed: int) -> tuple[float, int]:
    """Seconds of the processor to fit and ask the usual settings on some cases, and bytes of the model."""
    rows = np.sort(chosen)
    for c in range(len(given.classes)):  # every class must be there to be fitted
        rows = np.union1d(rows, np.flatnonzero(given.y == c)[:2])
    usual = options(family, cases=len(rows), features=given.features.shape[1])
    model = family.make(usual[min(family.usual, len(usual) - 1)], given.task, seed)
    started = time.process_time()  # processes are starting on the other cores
    fit_quietly(model, given.inputs[rows], given.y[rows])
    decisions(model, given.inputs[rows])
    return time.process_time() - started, len(pickle.dumps(model))
