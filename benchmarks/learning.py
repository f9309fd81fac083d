"""Honest scores of the chosen classical model on public data, against floors that were fixed in advance.

Data sets are those inside scikit-learn; each gets one minute. The score is that of the whole procedure, choice of
family and settings included, on held-out folds. Settings are chosen inside the training folds only.

    python benchmarks/learning.py [--budget 1m] [--seed 0]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from sklearn import datasets

from radlake import learn

FLOORS: dict[str, tuple[Any, float, float | None]] = {
    "WDBC": (datasets.load_breast_cancer, 0.993, 0.970),
    "diabetes": (datasets.load_diabetes, 0.45, None),
    "digits": (datasets.load_digits, 0.99, 0.95),
}


def main() -> None:
    """Print one line for each data set, then the clusters of WDBC."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{'data':10} {'chosen':24} {'score':>6} {'interval':>15} {'floor':>6} {'acc/MAE':>8} {'floor':>6} {'s':>6}")
    for name, (load, floor, second) in FLOORS.items():
        x, y = load(return_X_y=True)
        started = time.perf_counter()
        choice = learn.select(x, y, budget=options.budget, seed=options.seed)
        took = time.perf_counter() - started
        found = choice.honest
        if found is None:
            print(f"{name:10} {choice.table[0].title:24} no time for the outer loop in {took:.0f} s")
            continue
        other = found.accuracy if found.accuracy is not None else found.error
        print(
            f"{name:10} {choice.table[0].title:24} {found.score:6.4f} [{found.low:.4f}, {found.high:.4f}] {floor:6.3f}"
            f" {other:8.3f} {second or '-':>6} {took:6.1f}"
        )
    started = time.perf_counter()
    parts = learn.cluster(datasets.load_breast_cancer().data, seed=options.seed)
    print(f"WDBC clusters, {time.perf_counter() - started:.1f} s: {parts.reason}")


if __name__ == "__main__":
    main()
