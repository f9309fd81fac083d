"""A comparison of models against baselines that were fixed in advance: answers, scores with intervals, paired tests.

Everything here works on arrays; `radlake.learn.stages` reads the tables and writes the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn import metrics
from radlake.learn.classical import SINGLE, Model
from radlake.learn.evaluation.scores import BINARY
from radlake.learn.intervals import bootstrap_p, interval, patient_weights, resampled_t
from radlake.learn.split import repeated_folds
from radlake.learn.validate import Answers, nested

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cases:
    """What models learn from.

    Parameters
    ----------
    ids, patients : (N,) arrays of str
        Case and patient.
    features : (N, D) float array
        NaN where a value is missing.
    names : tuple of D str
        Name of each feature.
    y : (N,) int array
        0 or 1.
    """

    ids: NDArray[Any]
    patients: NDArray[Any]
    features: Floats
    names: tuple[str, ...]
    y: NDArray[np.int64]


@dataclass(frozen=True)
class Entry:
    """A model with the features that it sees; a baseline is what the others are tested against."""

    name: str
    model: Model
    inputs: tuple[str, ...]
    baseline: bool = False


@dataclass(frozen=True)
class Score:
    """One number of one entry: NaN where it is not defined."""

    entry: str
    stratum: str
    metric: str
    value: float
    low: float
    high: float
    cases: int
    patients: int
    note: str = ""


def entries(names: Sequence[str], baselines: Sequence[str], models: Mapping[str, Model]) -> list[Entry]:
    """One-feature baselines first, then every model on all features.

    Raises
    ------
    ValueError
        When a baseline is no feature, naming it and what there is.
    """
    for name in baselines:
        if name not in names:
            raise ValueError(f"baseline {name!r} is no feature; there are {', '.join(sorted(names))}")
    alone = [Entry(name, SINGLE, (name,), baseline=True) for name in baselines]
    return alone + [Entry(model.name, model, tuple(names)) for model in models.values()]


def answers(
    cases: Cases, compared: Sequence[Entry], *, folds: int, inner: int, repeats: int, seed: int
) -> dict[str, Answers]:
    """Out-of-fold answers of every entry on the same folds, by name.

    Parameters
    ----------
    cases : Cases
        At least as many patients of each class as folds.
    compared : sequence of Entry
        What to test.
    folds, inner : int
        Outer folds, and inner ones for the choice of settings.
    repeats : int
        How often the outer folds are drawn anew.
    seed : int
        Of the first repeat; the others follow.
    """
    seeds = range(seed, seed + repeats)
    outer = repeated_folds(cases.y, cases.patients, folds=folds, seeds=seeds)
    found = {}
    for entry in compared:
        columns = [cases.names.index(name) for name in entry.inputs]
        found[entry.name] = nested(
            entry.model, cases.features[:, columns], cases.y, cases.patients, outer=outer, inner=inner, seeds=seeds
        )
    return found


def scores(
    cases: Cases, found: Mapping[str, Answers], strata: Mapping[str, Bools], *, replicates: int, seed: int
) -> list[Score]:
    """Every metric of every entry in every stratum: mean over the repeats, with a patient bootstrap interval.

    Parameters
    ----------
    cases : Cases
        What the answers are about.
    found : mapping
        Answers by entry.
    strata : mapping
        (N,) bool arrays by name; models are fitted on all cases and scored on these.
    replicates : int
        Bootstrap replicates; 2,000 give stable 95% intervals.
    seed : int
        Of the bootstrap.
    """
    rows = []
    for stratum, chosen in strata.items():
        y, patients = cases.y[chosen], cases.patients[chosen]
        weights = patient_weights(patients, replicates=replicates, rng=np.random.default_rng(seed))
        size = (len(y), len(np.unique(patients)))
        for entry, given in found.items():
            for metric, score in BINARY.items():
                per_repeat = given.probability[:, chosen]
                value = float(np.mean([score(y, p) for p in per_repeat]))
                drawn = np.mean([score(y, p, weights) for p in per_repeat], axis=0)
                rows.append(Score(entry, stratum, metric, value, *interval(drawn), *size))
    return rows


def differences(
    cases: Cases,
    found: Mapping[str, Answers],
    compared: Sequence[Entry],
    strata: Mapping[str, Bools],
    *,
    replicates: int,
    seed: int,
) -> list[Score]:
    """AUC of every model minus that of every baseline, tested on the same cases.

    The p-value of the score is the patient bootstrap's; the note also gives the corrected resampled t-test over the
    folds, for all cases only (folds of a small stratum may lack a class).

    Parameters
    ----------
    cases, found, strata, replicates, seed
        As in `scores`.
    compared : sequence of Entry
        Tells baselines from models.
    """
    rows = []
    for stratum, chosen in strata.items():
        y, patients = cases.y[chosen], cases.patients[chosen]
        weights = patient_weights(patients, replicates=replicates, rng=np.random.default_rng(seed))
        value = {n: np.mean([metrics.auc(y, p) for p in a.probability[:, chosen]]) for n, a in found.items()}
        drawn = {
            n: np.mean([metrics.auc(y, p, weights) for p in a.probability[:, chosen]], axis=0) for n, a in found.items()
        }
        for entry in (e for e in compared if not e.baseline):
            for base in (e for e in compared if e.baseline):
                gap = drawn[entry.name] - drawn[base.name]
                note = f"patient bootstrap p = {bootstrap_p(gap):.3g}"
                if chosen.all():
                    t, p = _fold_test(cases.y, found[entry.name], found[base.name])
                    note += f"; corrected resampled t = {t:.2f}, p = {p:.3g}"
                point = float(value[entry.name] - value[base.name])
                size = (len(y), len(np.unique(patients)))
                rows.append(Score(entry.name, stratum, f"auc_minus:{base.name}", point, *interval(gap), *size, note))
    return rows


def _fold_test(y: NDArray[np.int64], first: Answers, second: Answers) -> tuple[float, float]:
    """Corrected resampled t-test of the AUC over all folds of all repeats."""
    folds = int(first.fold.max()) + 1
    gaps = [
        metrics.auc(y[fold == k], p[fold == k]) - metrics.auc(y[fold == k], q[fold == k])
        for fold, p, q in zip(first.fold, first.probability, second.probability, strict=True)
        for k in range(folds)
    ]
    return resampled_t(gaps, test_share=1 / (folds - 1))
