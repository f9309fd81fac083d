"""What families of models of images cost here: views by some images, networks by a few steps of a training."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from radlake.learn.classical import Settings
from radlake.learn.clock import Clock
from radlake.learn.deep.cases import ImageCases
from radlake.learn.deep.families import ImageFamily, epochs
from radlake.learn.deep.folds import made
from radlake.learn.deep.parts import cores
from radlake.learn.deep.probe import fastest
from radlake.learn.deep.views import VIEWS, seen
from radlake.learn.journal import Journal
from radlake.learn.trial import fit_quietly
from radlake.learn.validate import decisions

_TASTE = 8  # images a core by which the cost of a view is judged
_FEW = 300  # images on which a classical family is tried first
_VIEW = 1 / 3  # share of the time that a view may take


def costs(
    families: Mapping[str, ImageFamily],
    cases: ImageCases,
    clock: Clock,
    *,
    until: float,
    seed: int,
    journal: Journal | None = None,
) -> tuple[dict[str, float], dict[str, ImageFamily], dict[str, str]]:
    """Seconds of one fit of each family on all images (networks: of one epoch), the families, and why not others.

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
    journal : Journal, optional
        Keeps views.
    """
    needs: dict[str, float] = {}
    able: dict[str, ImageFamily] = {}
    refused: dict[str, str] = {}
    slow = {name for name, family in families.items() if family.view is not None}
    for view in VIEWS:
        users = [name for name in slow if families[name].view == view]
        if not users:
            continue
        part = cases.given.part(np.arange(len(cases.given)) < _TASTE * cores())
        started = time.perf_counter()
        seen(part, view)
        seconds = (time.perf_counter() - started) * len(cases.given) / len(part)
        if clock.allows(f"view/{view}", needs=seconds, until=clock.share + _VIEW * max(0.0, until - clock.share)):
            cases.compute(view, journal, clock)
            continue
        refused |= dict.fromkeys(users, f"what it sees takes about {seconds:.0f} s to compute, more than is left")
    for name, family in families.items():
        if name in refused:
            continue
        if family.view is not None:
            needs[name], able[name] = _classical_cost(family, cases, seed), family
            continue
        needs[name], able[name] = _network_cost(name, family, cases, clock, seed=seed)
    return needs, able, refused


def _classical_cost(family: ImageFamily, cases: ImageCases, seed: int) -> float:
    """Seconds of one fit on a view, from some of the images."""
    inputs, y = cases.seen_by(family.view), cases.outcome.y
    rows = np.sort(np.random.default_rng(seed).permutation(len(y))[:_FEW])
    for c in range(len(cases.outcome.classes)):  # every class must be there to be fitted
        rows = np.union1d(rows, np.flatnonzero(y == c)[:2])
    model = family.make(family.grid[family.usual], cases.outcome.task, seed)
    started = time.perf_counter()
    fit_quietly(model, inputs[rows], y[rows])
    decisions(model, inputs[rows])
    return float((time.perf_counter() - started) * (len(y) / len(rows)) ** family.growth)


def _network_cost(
    name: str, family: ImageFamily, cases: ImageCases, clock: Clock, *, seed: int
) -> tuple[float, ImageFamily]:
    """Seconds of one epoch of a network, and the family with all numbers of epochs to choose from."""
    plain = made(family, {"epochs": 1}, cases, seed)
    taken = plain.seconds_of_steps(cases.raw, cases.outcome.y)
    best = fastest(taken)
    order = [best, *(way for way in taken if way != best)]
    way = order[clock.first([(f"{way.name}/{name}", 0.0) for way in order], until=np.inf) or 0]
    settings: Settings = {"short": int(way.precision == "bfloat16")}
    if cases.device == "cuda":
        settings = {**settings, "last": int(way.last)}
    number = len(cases.given)
    grid = tuple({"epochs": e, **settings} for e in epochs(number))
    return taken[way] * -(-number // plain.batch), replace(family, grid=grid)
