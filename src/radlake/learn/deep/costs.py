"""What families of models of images cost here: views by some images, networks by a few steps of a training.

Memory is that of this machine; a batch that does not fit on a GPU is halved while a network learns.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from radlake.learn.classical import Settings
from radlake.learn.clock import Clock
from radlake.learn.deep.cases import ImageCases
from radlake.learn.deep.families import ImageFamily, epochs
from radlake.learn.deep.folds import made, side_by_side
from radlake.learn.deep.parts import cores
from radlake.learn.deep.peak import peak
from radlake.learn.deep.probe import fastest
from radlake.learn.deep.views import VIEWS, seen
from radlake.learn.journal import Journal
from radlake.learn.probe import Cost, too_large
from radlake.learn.trial import fit_quietly
from radlake.learn.validate import decisions

_TASTE = 8  # images a core by which the cost of a view is judged
_FEW = 300  # images on which a classical family is tried first
_VIEW = 1 / 3  # share of the time that a view may take
_COPIES = 6  # of a view in each fold: its cases, filled and scaled, each in double precision


def costs(
    families: Mapping[str, ImageFamily],
    cases: ImageCases,
    clock: Clock,
    *,
    until: float,
    seed: int,
    folds: int,
    memory_bytes: int,
    journal: Journal | None = None,
) -> tuple[dict[str, Cost], dict[str, ImageFamily], dict[str, str]]:
    """What one fit of each family on all images takes (networks: one epoch), the families, and why not others.

    Views are computed on the way, if they take no more than a third of the time. Networks run a few steps, and bfloat16
    is taken where it is faster; how many epochs there is time for is decided later, so that all are left to choose.

    Parameters
    ----------
    families : mapping
    cases : ImageCases
    clock : Clock
    until : float
        Share of the budget when the search must have ended.
    seed : int
    folds : int
        As many run at once as there are cores.
    memory_bytes : int
        That all that run at once may take.
    journal : Journal, optional
        Keeps views.
    """
    found: dict[str, Cost] = {}
    able: dict[str, ImageFamily] = {}
    refused: dict[str, str] = {}
    for view in VIEWS:
        users = [name for name, family in families.items() if family.view == view]
        if users and (why := _refused_view(view, cases, clock, until, folds, memory_bytes, journal)):
            refused |= dict.fromkeys(users, why)
    for name, family in families.items():
        if name in refused:
            continue
        if family.view is not None:
            found[name], able[name] = _classical_cost(family, cases, seed), family
            continue
        found[name], able[name] = _network_cost(name, family, cases, clock, seed=seed)
        needs = found[name].bytes * side_by_side(family, cases.device, folds)
        if clock.notes(f"memory/{name}", holds=needs > memory_bytes):
            refused[name] = too_large(needs, memory_bytes)
            del able[name]
    return found, able, refused


def _refused_view(
    view: str, cases: ImageCases, clock: Clock, until: float, folds: int, memory_bytes: int, journal: Journal | None
) -> str | None:
    """Compute a view of all images unless that takes too long or too much memory: then why not."""
    part = cases.given.part(np.arange(len(cases.given)) < _TASTE * cores())
    started = time.perf_counter()
    numbers = seen(part, view)
    seconds = (time.perf_counter() - started) * len(cases.given) / len(part)
    needs = numbers.nbytes * len(cases.given) // len(part) * (1 + _COPIES * min(cores(), folds))
    if clock.notes(f"memory/{view}", holds=needs > memory_bytes):
        return f"of what it sees, {too_large(needs, memory_bytes)}"
    if not clock.allows(f"view/{view}", needs=seconds, until=clock.share + _VIEW * max(0.0, until - clock.share)):
        return f"what it sees takes about {seconds:.0f} s to compute, more than is left"
    cases.compute(view, journal, clock)
    return None


def _classical_cost(family: ImageFamily, cases: ImageCases, seed: int) -> Cost:
    """What one fit on a view takes, from some of the images."""
    inputs, y = cases.seen_by(family.view), cases.outcome.y
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:_FEW])
    for c in range(len(cases.outcome.classes)):  # every class must be there to be fitted
        rows = np.union1d(rows, np.flatnonzero(y == c)[:2])
    model = family.make(family.grid[family.usual], cases.outcome.task, seed)
    started = time.perf_counter()
    fit_quietly(model, inputs[rows], y[rows])
    decisions(model, inputs[rows])
    seconds = (time.perf_counter() - started) * (len(y) / len(rows)) ** family.growth
    return Cost(seconds, _COPIES * inputs.nbytes)


def _network_cost(
    name: str, family: ImageFamily, cases: ImageCases, clock: Clock, *, seed: int
) -> tuple[Cost, ImageFamily]:
    """What one epoch of a network takes, and the family with all numbers of epochs to choose from."""
    plain = made(family, {"epochs": 1}, cases, seed)
    with peak() as memory:
        taken = plain.seconds_of_steps(cases.raw, cases.outcome.y)
    best = fastest(taken)
    order = [best, *(way for way in taken if way != best)]
    way = order[clock.first([(f"{way.name}/{name}", 0.0) for way in order], until=np.inf) or 0]
    settings: Settings = {"short": int(way.precision == "bfloat16")}
    if cases.device == "cuda":
        settings = {**settings, "last": int(way.last)}
    number = len(cases.given)
    grid = tuple({"epochs": e, **settings} for e in epochs(number))
    return Cost(taken[way] * -(-number // plain.batch), memory.bytes or 0), replace(family, grid=grid)
