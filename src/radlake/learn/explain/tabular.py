"""Models of features: coefficients, rules, importance, partial dependence, and what would change an answer.

`answer` below is a function from features (N, D) to one number a case: the probability of a class, or a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.metrics import Floats

Answer = Callable[[Floats], Floats]
Score = Callable[[Floats], float]

_MOST_CASES = 2000  # for importance and dependence; more would only take time
_GRID = 21


@dataclass(frozen=True)
class Weight:
    """One coefficient of a linear model.

    Parameters
    ----------
    feature : str
    weight : float
        Change of the log odds (or the value) for one unit of the prepared feature: a standard deviation, or one step of
        its normal score.
    ratio : float or None
        Odds ratio, exp(weight); None for values.
    """

    feature: str
    weight: float
    ratio: float | None


@dataclass(frozen=True)
class Importance:
    """How much a score falls when a feature is shuffled, averaged over repeats, with its standard deviation."""

    feature: str
    drop: float
    spread: float


@dataclass(frozen=True)
class Change:
    """The smallest change found that gives another answer.

    Parameters
    ----------
    features : tuple of str
    before, after : tuple of float
    distance : float
        Sum of the changes in standard deviations of the cases.
    probability : float
        After the change.
    """

    features: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    distance: float
    probability: float


def last_step(pipeline: Any) -> Any:
    """The model at the end of a pipeline."""
    model = pipeline[-1] if hasattr(pipeline, "steps") else pipeline
    return getattr(model, "regressor_", model)


def reached(pipeline: Any, names: Sequence[str]) -> list[str]:
    """Names of the features as the model at the end of a pipeline sees them: chosen ones, and marks of gaps.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline
    names : sequence of str
    """
    current = list(names)
    for _, step in getattr(pipeline, "steps", [])[:-1]:
        if hasattr(step, "get_support"):
            current = [n for n, kept in zip(current, step.get_support(), strict=True) if kept]
        elif getattr(step, "add_indicator", False):
            current += [f"{current[i]} is missing" for i in step.indicator_.features_]
    return current


def coefficients(pipeline: Any, names: Sequence[str]) -> list[Weight]:
    """Coefficients of a linear model on two classes or values, the largest first; empty for other models.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline
    names : sequence of str
        Features in the order of the columns.
    """
    model = last_step(pipeline)
    weights = np.atleast_2d(getattr(model, "coef_", np.empty((0, 0))))
    if len(weights) != 1:
        return []
    log_odds = hasattr(model, "predict_proba")
    found = [
        Weight(name, float(w), float(np.exp(w)) if log_odds else None)
        for name, w in zip(reached(pipeline, names), weights[0], strict=True)
    ]
    return sorted(found, key=lambda w: (-abs(w.weight), w.feature))


def rules(pipeline: Any, names: Sequence[str], *, classes: Sequence[Any] = ()) -> list[str]:
    """A decision tree as sentences, one for each leaf, the largest leaf first; empty for other models.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline
    names : sequence of str
    classes : sequence
        Labels; empty for values.
    """
    tree = getattr(last_step(pipeline), "tree_", None)
    if tree is None:
        return []
    known, found = reached(pipeline, names), []

    def walk(node: int, path: dict[tuple[str, str], float]) -> None:
        if tree.children_left[node] < 0:
            found.append((int(tree.n_node_samples[node]), _conditions(path), _leaf(tree.value[node][0], classes)))
            return
        name, level = known[tree.feature[node]], float(tree.threshold[node])
        walk(tree.children_left[node], {**path, (name, "<="): level})  # a later bound is the tighter one
        walk(tree.children_right[node], {**path, (name, ">"): level})

    walk(0, {})
    found.sort(key=lambda leaf: (-leaf[0], leaf[1]))
    return [f"if {path or 'anything'}: {said} ({n} cases)" for n, path, said in found]


def staircases(pipeline: Any, names: Sequence[str], x: Floats) -> list[tuple[str, list[tuple[float, float]]]]:
    """Curves of a sum of curves as corners to draw, the one that moves answers most first; empty for other models.

    Parameters
    ----------
    pipeline : fitted scikit-learn pipeline
    names : sequence of str
    x : (N, D) array
        Cases: curves are drawn as far as their values reach; a feature without two values is left out.
    """
    model, found = last_step(pipeline), []
    for curve in model.curves(names) if hasattr(model, "curves") else []:
        column = x[:, list(names).index(curve.feature)]
        known = column[~np.isnan(column)]
        if not len(known) or known.min() == known.max():
            continue
        inside = curve.cuts[(curve.cuts > known.min()) & (curve.cuts < known.max())]
        ends = np.concatenate([[known.min()], np.repeat(inside, 2), [known.max()]])
        first = int(np.searchsorted(curve.cuts, known.min(), side="right"))
        adds = np.repeat(curve.adds[first : first + len(inside) + 1], 2)
        found.append((curve.feature, list(zip(ends.tolist(), adds.tolist(), strict=True))))
    return found


def _conditions(path: dict[tuple[str, str], float]) -> str:
    """The way to a leaf: at most two bounds of each feature."""
    return " and ".join(f"{name} {sign} {level:.4g}" for (name, sign), level in path.items())


def _leaf(value: Floats, classes: Sequence[Any]) -> str:
    """What a leaf says."""
    if not len(classes):
        return f"{value[0]:.4g}"
    share = value / value.sum()
    best = int(np.argmax(share))
    return f"answer {classes[best]}, right in {share[best]:.0%}"


def permutation(
    answer: Answer, score: Score, x: Floats, names: Sequence[str], *, repeats: int = 10, rng: np.random.Generator
) -> list[Importance]:
    """How much a score depends on each feature, the most important first. Features that go together share theirs.

    Parameters
    ----------
    answer : callable
    score : callable
        Of the answers to the cases.
    x : (N, D) array
        Cases that the model has not seen.
    names : sequence of D str
    repeats : int
    rng : numpy.random.Generator

    References
    ----------
    Breiman (2001), Random forests, Machine Learning 45, 5-32, section 10; Fisher, Rudin and Dominici (2019), All models
    are wrong, but many are useful, JMLR 20(177).
    """
    whole, found = score(answer(x)), []
    for column, name in enumerate(names):
        drops = []
        for _ in range(repeats):
            shuffled = x.copy()
            shuffled[:, column] = rng.permutation(x[:, column])
            drops.append(whole - score(answer(shuffled)))
        found.append(Importance(name, float(np.mean(drops)), float(np.std(drops))))
    return sorted(found, key=lambda i: (-i.drop, i.feature))


def partial_dependence(answer: Answer, x: Floats, column: int) -> tuple[Floats, Floats]:
    """Mean answer when one feature is set to each of 21 quantiles from the 5th to the 95th, all else as it is.

    Parameters
    ----------
    answer : callable
    x : (N, D) array
    column : int

    Returns
    -------
    (values, answers) : arrays
        Empty where the feature has no values.

    References
    ----------
    Friedman (2001), Greedy function approximation, Annals of Statistics 29, 1189-1232, section 8.2.
    """
    some = x[np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST_CASES)).astype(np.int64))]
    known = some[~np.isnan(some[:, column]), column]
    if not len(known):
        return np.empty(0), np.empty(0)
    grid = np.unique(np.quantile(known, np.linspace(0.05, 0.95, _GRID)))
    found = []
    for value in grid:
        changed = some.copy()
        changed[:, column] = value
        found.append(float(np.mean(answer(changed))))
    return grid, np.array(found)


def change(
    answer: Answer, case: Floats, cases: Floats, names: Sequence[str], *, threshold: float, most: int = 2
) -> Change | None:
    """What would change an answer: the least change of one feature, else of two, within what the cases show.

    It says how the model decides, not what to do to a patient.

    Parameters
    ----------
    answer : callable
    case : (D,) array
    cases : (N, D) array
        Where values to try come from: 21 quantiles of each feature.
    names : sequence of D str
    threshold : float
        From which on the answer is yes.
    most : int
        Features that may change.

    References
    ----------
    Wachter, Mittelstadt and Russell (2018), Counterfactual explanations without opening the black box, Harvard Journal
    of Law and Technology 31, 841-887.
    """
    is_yes = bool(answer(case[None])[0] >= threshold)
    moves = _moves(case, cases)
    if not moves:
        return None
    single = _tried(answer, case, moves)
    flips = [(distance, i) for i, (_, _, distance) in enumerate(moves) if (single[i] >= threshold) != is_yes]
    if flips:
        return _told(case, names, [moves[min(flips)[1]]], single[min(flips)[1]])
    if most < 2:
        return None
    toward = single if not is_yes else -single
    leading: dict[int, int] = {}  # of each feature the move that comes nearest to the other side, the nearest first
    for i in np.argsort(-toward, kind="stable").tolist():
        leading.setdefault(moves[i][0], i)
    best: Change | None = None
    for first in [moves[i] for i in list(leading.values())[:5]]:
        start = case.copy()
        start[first[0]] = first[1]
        rest = [m for m in moves if m[0] != first[0]]
        reached_by = _tried(answer, start, rest)
        for (column, value, distance), p in zip(rest, reached_by, strict=True):
            if (p >= threshold) != is_yes and (best is None or first[2] + distance < best.distance):
                best = _told(case, names, [first, (column, value, distance)], p)
    return best


def _moves(case: Floats, cases: Floats) -> list[tuple[int, float, float]]:
    """Values to try: (column, value, distance in standard deviations)."""
    found = []
    for column in range(len(case)):
        known = cases[~np.isnan(cases[:, column]), column]
        spread = known.std() if len(known) else 0.0
        if spread == 0 or np.isnan(case[column]):
            continue
        for value in np.unique(np.quantile(known, np.linspace(0.01, 0.99, _GRID))):
            if value != case[column]:
                found.append((column, float(value), float(abs(value - case[column]) / spread)))
    return found


def _tried(answer: Answer, case: Floats, moves: Sequence[tuple[int, float, float]]) -> Floats:
    """Answers after each move."""
    changed = np.repeat(case[None], len(moves), axis=0)
    for row, (column, value, _) in zip(changed, moves, strict=True):
        row[column] = value
    return answer(changed)


def _told(case: Floats, names: Sequence[str], moves: Sequence[tuple[int, float, float]], probability: float) -> Change:
    """Moves as a change."""
    return Change(
        tuple(names[c] for c, _, _ in moves), tuple(float(case[c]) for c, _, _ in moves), tuple(v for _, v, _ in moves),
        sum(d for _, _, d in moves), float(probability),
    )  # fmt: skip


def deletion(
    answer: Answer, score: Score, x: Floats, order: Sequence[int], *, rng: np.random.Generator, draws: int = 10
) -> tuple[Floats, Floats]:
    """Score after the first k features are set to their median, in this order and, on average, in random orders.

    An order that means something makes the score fall faster than a random one.

    Parameters
    ----------
    answer : callable
    score : callable
    x : (N, D) array
    order : sequence of int
        Columns, the most important first.
    rng : numpy.random.Generator
    draws : int
        Random orders.

    Returns
    -------
    (ordered, random) : (D + 1,) arrays

    References
    ----------
    Samek et al. (2017), Evaluating the visualization of what a deep neural network has learned, IEEE Transactions on
    Neural Networks and Learning Systems 28, 2660-2673.
    """
    middle = np.array([np.median(c[~np.isnan(c)]) if (~np.isnan(c)).any() else np.nan for c in x.T])

    def curve(columns: NDArray[Any]) -> Floats:
        changed, found = x.copy(), [score(answer(x))]
        for column in columns:
            changed[:, column] = middle[column]
            found.append(score(answer(changed)))
        return np.array(found)

    random = np.mean([curve(rng.permutation(x.shape[1])) for _ in range(draws)], axis=0)
    return curve(np.asarray(order)), random
