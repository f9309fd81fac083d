"""The search among models of images: what each costs, held-out answers, and networks that answer together.

A network is trained once for each fold; the networks of all folds, which have been tested already, are the final model
and answer with their mean. Classical models are fitted once more on all images. Folds of a network run side by side on
the cores that there are, each on one thread, so that the bits do not depend on how many run at once; on a GPU, which
one network keeps busy, one after the other.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.calibration import answers, calibrator, loss
from radlake.learn.classical import Settings
from radlake.learn.clock import Clock
from radlake.learn.deep.cases import ImageCases
from radlake.learn.deep.ensemble import Together
from radlake.learn.deep.families import ImageFamily, epochs
from radlake.learn.deep.probe import fastest
from radlake.learn.deep.views import VIEWS, ImageFeatures, seen
from radlake.learn.problem import Ints
from radlake.learn.search import Search
from radlake.learn.split import repeated_folds
from radlake.learn.trial import HeldOut, Trial, complexity, fit_quietly, score
from radlake.learn.validate import Fitted, decisions

_TASTE = 8  # images by which the cost of a view is judged
_FEW = 300  # images on which a classical family is tried first


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def side_by_side(device: str, folds: int) -> int:
    """How many folds of a network run at once."""
    return 1 if device == "cuda" else min(cores(), folds)


@dataclass(eq=False)
class Rounds:
    """One search: the cases, the folds and what the clock says.

    Parameters
    ----------
    cases : ImageCases
    families : mapping
    needs : mapping
        Seconds for one fit of each family; improved by what is measured.
    clock : Clock
    part : str
        Name of this search in the plan.
    until : float
        Share of the budget when it must have ended.
    folds, repeats, seed : int
    """

    cases: ImageCases
    families: Mapping[str, ImageFamily]
    needs: dict[str, float]
    clock: Clock
    part: str
    until: float
    folds: int
    repeats: int
    seed: int

    def run(self) -> tuple[Search, dict[int, list[Any]]]:
        """All rounds: what was tried, and the networks of each trial's folds by the trial's identity."""
        outcome, left_out = self.cases.outcome, {}
        seeds = range(self.seed, self.seed + self.repeats)
        drawn = repeated_folds(outcome.strata, outcome.groups, folds=self.folds, seeds=seeds)
        self.models: dict[int, list[Any]] = {}
        order = sorted(self.families, key=lambda name: (self.needs[name] if self.clock.replay is None else 0.0, name))
        trials = {n: [Trial(n, f, s, i) for i, s in enumerate(f.grid)] for n, f in self.families.items()}
        for name in order:
            usual = trials[name][self.families[name].usual]
            if not self._try(usual, 0, drawn):
                left_out[name] = f"{self.folds} folds of it take about {self._cost(usual):.0f} s, more than is left"
        tried = sorted((t for n in order for t in trials[n] if t.runs), key=lambda t: (-t.mean, t.name))
        for place, best in enumerate(tried):
            if 2 * place < len(tried) or self._near(best, tried[0]):
                for trial in trials[best.name]:
                    self._try(trial, 0, drawn)
        found = Search([t for n in self.families for t in trials[n] if t.runs], drawn, left_out)
        for repeat in range(1, self.repeats):
            for trial in self._finalists(found):
                self._try(trial, repeat, drawn)
        return found, self.models

    def _finalists(self, found: Search) -> list[Trial]:
        """The best settings of the families within one standard error of the best."""
        best = sorted(found.best().values(), key=lambda t: (-t.mean, t.name))
        return [t for t in best if self._near(t, best[0])]

    def _near(self, trial: Trial, best: Trial) -> bool:
        """Whether a trial is within one standard error of the best one."""
        return best.mean_of(len(trial.runs)) - trial.mean <= best.standard_error(self.folds)

    def _cost(self, trial: Trial) -> float:
        """Expected seconds of one repeat."""
        at_once = side_by_side(self.cases.device, self.folds) if self.families[trial.name].view is None else 1
        return self.needs[trial.name] * -(-self.folds // at_once)

    def _try(self, trial: Trial, repeat: int, drawn: Ints) -> bool:
        """Run a trial on a repeat unless it has been, or the clock forbids; whether it has been run now or before."""
        if len(trial.runs) != repeat:
            return len(trial.runs) > repeat
        work = f"{self.part}/{repeat}/{trial.name}/{trial.place}"
        if not self.clock.allows(work, needs=self._cost(trial), until=self.until):
            return False
        started = time.perf_counter()
        run, models = held_out(trial, self.families[trial.name], self.cases, drawn[repeat], seed=self.seed + repeat)
        trial.runs.append(run)
        self.models.setdefault(id(trial), models)
        self.needs[trial.name] *= (time.perf_counter() - started) / max(self._cost(trial), 1e-9)
        return True


def held_out(
    trial: Trial, family: ImageFamily, cases: ImageCases, fold: Ints, *, seed: int
) -> tuple[HeldOut, list[Any]]:
    """Answers for every image by models fitted on the other folds; and, of networks, these models.

    Parameters
    ----------
    trial : Trial
    family : ImageFamily
    cases : ImageCases
        With the family's view computed.
    fold : (N,) int array
    seed : int
    """
    inputs, outcome = cases.seen_by(family.view), cases.outcome

    def one(k: int) -> tuple[Any, bool, NDArray[np.float64], float, float]:
        test = fold == k
        model = made(family, trial.settings, cases, seed)
        started = time.perf_counter()
        whole = True
        if family.view is None:  # warnings are caught for the whole process: not where networks run side by side
            model.fit(inputs[~test], outcome.y[~test])
        else:
            whole = fit_quietly(model, inputs[~test], outcome.y[~test])
        fitted = time.perf_counter()
        answer = decisions(model, inputs[test])
        return model, whole, answer, fitted - started, time.perf_counter() - fitted

    count = int(fold.max()) + 1
    if family.view is None:
        with ThreadPoolExecutor(side_by_side(cases.device, count)) as pool:
            parts = list(pool.map(one, range(count)))
    else:
        parts = [one(k) for k in range(count)]
    models, wholes, said, fit_s, predict_s = zip(*parts, strict=True)
    decision = np.empty((len(fold), said[0].shape[1]))
    for k, answer in enumerate(said):
        decision[fold == k] = answer
    predicted = answers(family, outcome, decision, fold)
    scores = np.array([score(outcome.task, outcome.y[fold == k], predicted[fold == k]) for k in range(count)])
    run = HeldOut(
        decision, predicted, loss(outcome, predicted), scores, float(np.mean(fit_s)),
        1000 * sum(predict_s) / len(fold), len(pickle.dumps(models[0])) / 1e6, _numbers(models[0]),
        wholes.count(False),
    )  # fmt: skip
    return run, list(models) if family.view is None else []


def made(family: ImageFamily, settings: Settings, cases: ImageCases, seed: int) -> Any:
    """An unfitted model that takes the images as they were given."""
    model = family.make(settings, cases.outcome.task, seed)
    return model.set_params(axes=cases.axes, device=cases.device) if family.view is None else model


def _numbers(model: Any) -> int:
    """How many numbers a model decides with."""
    network = getattr(model, "network_", None)
    return complexity(model.model_) if network is None else sum(p.numel() for p in network.parameters())


def final(trial: Trial, family: ImageFamily, cases: ImageCases, models: list[Any], *, seed: int) -> Fitted:
    """The model that answers: a classical one fitted on all images, or the networks of the folds together.

    Parameters
    ----------
    trial : Trial
        That has been run.
    family : ImageFamily
    cases : ImageCases
    models : list
        Networks of the folds; empty for a classical family.
    seed : int
    """
    from sklearn.pipeline import Pipeline

    outcome = cases.outcome
    curve = calibrator(family, outcome, trial.runs[0].decision)
    if models:
        model: Any = Together(models)
    else:
        inside = family.make(trial.settings, outcome.task, seed)
        fit_quietly(inside, cases.seen_by(family.view), outcome.y)
        features = ImageFeatures(str(family.view), axes=cases.axes)
        model = Pipeline([("features", features.fit(cases.raw)), ("model", inside)])
    return Fitted(trial.settings, model, curve, outcome.task, outcome.classes)


def costs(
    families: Mapping[str, ImageFamily],
    cases: ImageCases,
    clock: Clock,
    *,
    until: float,
    folds: int,
    seed: int,
) -> tuple[dict[str, float], dict[str, ImageFamily], dict[str, str]]:
    """Seconds that one fit of each family takes on all images, the families as can be afforded, and why not others.

    Views are computed on the way, if there is time. Networks run a few steps; their epochs are lowered, down
    to a quarter, until all folds fit into their share of the time, and bfloat16 is taken where it is faster.

    Parameters
    ----------
    families : mapping
    cases : ImageCases
    clock : Clock
    until : float
        Share of the budget that one family may take.
    folds, seed : int
    """
    needs: dict[str, float] = {}
    able: dict[str, ImageFamily] = {}
    refused: dict[str, str] = {}
    slow = {name for name, family in families.items() if family.view is not None}
    for view in VIEWS:
        users = [name for name in slow if families[name].view == view]
        if not users:
            continue
        part = cases.given.part(np.arange(len(cases.given)) < _TASTE)
        started = time.perf_counter()
        seen(part, view)
        seconds = (time.perf_counter() - started) * len(cases.given) / len(part)
        if clock.allows(f"view/{view}", needs=seconds, until=until):
            cases.compute(view)
            continue
        refused |= dict.fromkeys(users, f"what it sees takes about {seconds:.0f} s to compute, more than is left")
    for name, family in families.items():
        if name in refused:
            continue
        if family.view is not None:
            needs[name], able[name] = _classical_cost(family, cases, seed), family
            continue
        found = _network_cost(name, family, cases, clock, until=until, folds=folds, seed=seed)
        if isinstance(found, str):
            refused[name] = found
        else:
            needs[name], able[name] = found
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
    name: str,
    family: ImageFamily,
    cases: ImageCases,
    clock: Clock,
    *,
    until: float,
    folds: int,
    seed: int,
) -> tuple[float, ImageFamily] | str:
    """Seconds of one fit of a network, and the family with the settings that can be afforded; or why there are none."""
    plain = made(family, {"epochs": 1}, cases, seed)
    taken = plain.seconds_of_steps(cases.raw, cases.outcome.y)
    best, way = fastest(taken), next(iter(taken))
    for other in list(taken)[1:]:
        if clock.allows(f"{other.name}/{name}", needs=0.0 if other == best else np.inf, until=np.inf):
            way = other
    made_so: Settings = {"short": int(way.precision == "bfloat16")}
    if cases.device == "cuda":
        made_so = {**made_so, "last": int(way.last)}
    steps = -(-len(cases.given) // plain.batch)
    seconds = 0.0
    for number in epochs(len(cases.given)):
        seconds = taken[way] * steps * number
        rounds = -(-folds // side_by_side(cases.device, folds))
        if clock.allows(f"epochs/{name}/{number}", needs=seconds * rounds, until=until):
            return seconds, replace(family, grid=({"epochs": number, **made_so},))
    return f"even {epochs(len(cases.given))[-1]} epochs take about {seconds:.0f} s a fold, more than there is"
