"""Honest scores of the chosen classical model on public data, against floors that were fixed in advance.

Data sets are those inside scikit-learn, one minute each; with the lake of `radlake demo` also nodules outlined by
radiologists, five minutes, folds by patient. The score is that of the whole procedure, choice of family and settings
included, on held-out folds. Settings are chosen inside the training folds only.

Then budgets and what they took, once in this process and once with the folds in two.

    python benchmarks/learning.py [--budget 1m] [--seed 0] [--lake demo-out/lake]
    python benchmarks/learning.py --only-budgets
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

from radlake import learn
from radlake.engine.nodules import SIZES
from radlake.lake.store import Lake
from radlake.learn.cases import Cohort, labelled
from radlake.learn.evaluation.record import gain
from radlake.learn.evaluation.scores import Answered, evaluate

FOLDS = 5  # of a search, by default
FLOORS: dict[str, tuple[Any, float, float | None]] = {
    "WDBC": (datasets.load_breast_cancer, 0.993, 0.970),
    "diabetes": (datasets.load_diabetes, 0.45, None),
    "digits": (datasets.load_digits, 0.99, 0.95),
}


def main() -> None:
    """Print one line for each data set, then the clusters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lake", type=Path, help="lake of radlake demo")
    parser.add_argument("--only-budgets", action="store_true", help="leave the data sets out")
    options = parser.parse_args()
    if options.only_budgets:
        budgets(options.seed)
        return
    print(f"{'data':10} {'chosen':26} {'score':>6} {'interval':>15} {'floor':>6} {'acc/MAE':>8} {'floor':>6} {'s':>6}")
    for name, (load, floor, second) in FLOORS.items():
        x, y = load(return_X_y=True)
        line(name, x, y, None, floor, second, options.budget, options.seed)
    clusters("WDBC", datasets.load_breast_cancer().data, options.seed)
    if options.lake:
        cases = labelled(Lake.open(options.lake), "malignant")
        choice = line("LIDC", cases.features, cases.y, cases.patients, 0.955, None, "5m", options.seed)
        gains(choice, cases, options.seed)
        clusters("LIDC", cases.features, options.seed)


def budgets(seed: int) -> None:
    """Budget and wall time, and how much was tried in it: odd or even digits, with noise beside them."""
    x, y = datasets.load_digits(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(len(y), 40))
    x, y = np.hstack([x, noise])[::2], y[::2] % 2
    print(f"{'budget s':>8} {'workers':>7} {'wall s':>7} {'CPU s':>6} {'families':>8} {'settings':>8} {'folds run':>9}")
    for budget in (20, 60):
        for workers in (1, 2):
            before, started = os.times(), time.perf_counter()
            found = learn.select(x, y, budget=budget, seed=seed, workers=workers)
            took, after = time.perf_counter() - started, os.times()
            spent = sum(after[:4]) - sum(before[:4])  # that of processes that have ended as well
            families = sum(entry.mean is not None for entry in found.table)
            works = sum(name.count("/") == 3 for name in found.plan.done)
            print(
                f"{budget:8} {workers:7} {took:7.1f} {spent:6.1f} {families:8} {len(found.tried):8}"
                f" {works * FOLDS:9}"
            )  # fmt: skip


def line(
    name: str, x: Any, y: Any, groups: Any, floor: float, second: float | None, budget: str, seed: int
) -> learn.Choice:  # fmt: skip
    """One line, and for values bias and limits of agreement."""
    started, cpu = time.perf_counter(), time.process_time()
    choice = learn.select(x, y, groups=groups, budget=budget, seed=seed)
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    found = choice.honest
    if found is None:
        print(f"{name:10} {choice.table[0].title:26} no time for the outer loop in {took:.0f} s")
        return choice
    other = found.accuracy if found.accuracy is not None else found.error
    print(
        f"{name:10} {choice.table[0].title:26} {found.score:6.4f} [{found.low:.4f}, {found.high:.4f}] {floor:6.3f}"
        f" {other:8.3f} {second or '-':>6} {took:6.1f} ({cpu:.0f} of CPU)"
    )
    if choice.model.task == "regression":
        whole = ~np.isnan(choice.predictions).any(axis=(1, 2))
        given = Answered("regression", np.asarray(y), choice.predictions[whole], np.arange(len(y)), choice.folds[whole])
        values = {m.metric: m.value for m in evaluate(given, seed=seed)}
        print(
            f"{'':10} Bland-Altman: bias {values['bias']:+.2f}, limits of agreement {values['limit_low']:+.1f} to"
            f" {values['limit_high']:+.1f}"
        )
    return choice


def gains(choice: learn.Choice, cases: Cohort, seed: int) -> None:
    """Gain over size alone, for each measure of size that was fixed in advance: paired, within folds, by patient."""
    whole = ~np.isnan(choice.predictions).any(axis=(1, 2))
    if not whole.any():
        return
    given = Answered(
        "binary", np.asarray(cases.y), choice.predictions[whole], cases.patients, choice.folds[whole]
    )  # fmt: skip
    for name, words in SIZES.items():
        found = gain(given, cases.features[:, cases.names.index(name)], seed=seed)
        print(
            f"{'':10} gain over {words} ({found['alone']:.4f}): {found['value']:+.4f}"
            f" [{found['low']:+.4f}, {found['high']:+.4f}]"
        )


def clusters(name: str, x: Any, seed: int) -> None:
    """Chosen number of clusters, and its agreement over bootstrap samples."""
    started = time.perf_counter()
    parts = learn.cluster(x, seed=seed)
    print(f"{name} clusters, {time.perf_counter() - started:.1f} s: {parts.reason}")
    for row in parts.table:
        if row.method == "k-means":
            print(
                f"  k-means, {row.k}: silhouette {row.silhouette:.2f},"
                f" mean ARI with bootstrap samples {row.stability:.2f}"
            )


if __name__ == "__main__":
    main()
