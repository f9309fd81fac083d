"""Families of classical models: what each computes, assumes, costs and lets a reader see, as one written-out table.

Every entry makes a scikit-learn pipeline in which all that learns from data (imputation, scaling, choice of features)
is fitted on training cases only. The table is what `radlake.learn.select` chooses from and what the documentation
prints. scikit-learn is imported when a pipeline is made.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from radlake.core.errors import UsageError
from radlake.learn.classical import Settings, prepared

Task = Literal["binary", "multiclass", "regression"]
Grade = Literal["A", "B", "C", "D"]

CLASSES: tuple[Task, ...] = ("binary", "multiclass")
ALL: tuple[Task, ...] = ("binary", "multiclass", "regression")
VALUES: tuple[Task, ...] = ("regression",)

CURVES = "explainable-boosting"  # needs the package interpret-core

GRADES: dict[Grade, str] = {
    "A": "fits on an index card: a short formula or a small tree",
    "B": "one weight or one curve for each feature",
    "C": "many trees or patterns: shows which features matter, not how a case was decided",
    "D": "compares with stored cases, weighs features without names, or is a network: at most shows where it looks",
}


@dataclass(frozen=True)
class Family:
    """A kind of model.

    Parameters
    ----------
    title : str
        As in tables and reports.
    tasks : tuple of Task
        What it can answer.
    make : callable
        (settings, task, seed) -> an unfitted scikit-learn pipeline.
    grid : tuple of mappings
        Settings to choose among, the simplest first: it wins ties.
    usual : int
        Place in the grid of the settings that are tried first.
    calibrated : bool
        True when its probabilities come from a likelihood and need no curve from held-out cases.
    grade : {"A", "B", "C", "D"}
        Readability; see `GRADES`.
    growth : float
        Seconds to fit grow as (cases) ** growth.
    holds_rows : bool
        True when the fitted model stores training cases.
    formula, assumes, good_for : str
        For people.
    """

    title: str
    tasks: tuple[Task, ...]
    make: Callable[[Settings, Task, int], Any]
    grid: tuple[Settings, ...]
    usual: int
    calibrated: bool
    grade: Grade
    growth: float
    holds_rows: bool
    formula: str
    assumes: str
    good_for: str


def _grid(**values: tuple[float, ...]) -> tuple[Settings, ...]:
    """All combinations; the last name changes fastest.

    Examples
    --------
    >>> _grid(normal=(0, 1), C=(0.1,))
    ({'normal': 0, 'C': 0.1}, {'normal': 1, 'C': 0.1})
    """
    found: tuple[dict[str, float], ...] = ({},)
    for name, options in values.items():
        found = tuple({**settings, name: option} for settings in found for option in options)
    return found


def _logistic(settings: Settings, task: Task, seed: int) -> Any:
    """Logistic regression with an L2 penalty; multinomial for more than two classes."""
    from sklearn.linear_model import LogisticRegression

    return prepared(LogisticRegression(C=settings["C"], max_iter=5000), normal=bool(settings["normal"]))


def _short(settings: Settings, task: Task, seed: int) -> Any:
    """Logistic or linear regression on the few features with the highest F statistic."""
    from sklearn.feature_selection import SelectKBest, f_classif, f_regression
    from sklearn.linear_model import LogisticRegression, Ridge

    few = int(settings["features"])
    if task == "regression":
        return prepared(SelectKBest(f_regression, k=few), Ridge(alpha=1.0), normal=False)
    return prepared(SelectKBest(f_classif, k=few), LogisticRegression(max_iter=5000), normal=False)


def _linear(settings: Settings, task: Task, seed: int) -> Any:
    """Least squares without a penalty."""
    from sklearn.linear_model import LinearRegression

    return prepared(LinearRegression(), normal=False)


def _ridge(settings: Settings, task: Task, seed: int) -> Any:
    """Least squares with an L2 penalty."""
    from sklearn.linear_model import Ridge

    return prepared(Ridge(alpha=settings["alpha"]), normal=bool(settings["normal"]))


def _lasso(settings: Settings, task: Task, seed: int) -> Any:
    """Least squares with an L1 penalty, in standard units of the outcome so that one grid fits all."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import Lasso
    from sklearn.preprocessing import StandardScaler

    lasso = Lasso(alpha=settings["alpha"], max_iter=20000)
    return prepared(TransformedTargetRegressor(lasso, transformer=StandardScaler()), normal=False)


def _svm_linear(settings: Settings, task: Task, seed: int) -> Any:
    """Support vector machine without a kernel."""
    from sklearn.svm import LinearSVC

    return prepared(LinearSVC(C=settings["C"], dual=False, max_iter=5000), normal=bool(settings["normal"]))


def _svm(settings: Settings, task: Task, seed: int) -> Any:
    """Support vector machine with a Gaussian kernel; the outcome in standard units for regression."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, SVR

    normal = bool(settings["normal"])
    if task != "regression":
        return prepared(SVC(C=settings["C"], gamma=settings["gamma"]), normal=normal)
    machine = SVR(C=settings["C"], gamma=settings["gamma"], epsilon=0.1)
    return prepared(TransformedTargetRegressor(machine, transformer=StandardScaler()), normal=normal)


def _gaps(model: Any, *, marked: bool = False) -> Any:
    """Pipeline for trees, which need no scaling: gaps become the median, marked in a column of their own if asked."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=marked), model)


def _tree(settings: Settings, task: Task, seed: int) -> Any:
    """One decision tree of limited depth."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    return _gaps(kind(max_depth=int(settings["depth"]), min_samples_leaf=5, random_state=seed))


def _forest(settings: Settings, task: Task, seed: int) -> Any:
    """Trees on bootstrap samples, each split among a random share of the features."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    share: Any = 1 / 3 if task == "regression" else "sqrt"
    return _gaps(kind(100, min_samples_leaf=int(settings["leaf"]), max_features=share, random_state=seed))


def _extra(settings: Settings, task: Task, seed: int) -> Any:
    """Trees whose thresholds are drawn at random."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesRegressor if task == "regression" else ExtraTreesClassifier
    share: Any = 1 / 3 if task == "regression" else "sqrt"
    return _gaps(kind(100, min_samples_leaf=int(settings["leaf"]), max_features=share, random_state=seed))


def _boosting(settings: Settings, task: Task, seed: int) -> Any:
    """Small trees, each fitted to what those before it got wrong; gaps are told to it."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    model = kind(
        learning_rate=settings["rate"], max_iter=int(settings["trees"]), max_leaf_nodes=8, early_stopping=False,
        random_state=seed,
    )  # fmt: skip
    return _gaps(model, marked=True)


def _curves(settings: Settings, task: Task, seed: int) -> Any:
    """A sum of one boosted curve for each feature; a gap is a step of its own."""
    from sklearn.pipeline import make_pipeline

    from radlake.learn.additive import CurvesClassifier, CurvesRegressor

    kind = CurvesRegressor if task == "regression" else CurvesClassifier
    return make_pipeline(kind(int(settings["steps"]), seed=seed))


def _neighbours(settings: Settings, task: Task, seed: int) -> Any:
    """Mean or vote of the nearest training cases."""
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    kind = KNeighborsRegressor if task == "regression" else KNeighborsClassifier
    # Brute force holds the same rows as a search tree and is what bundles can store.
    return prepared(kind(int(settings["k"]), algorithm="brute"), normal=bool(settings["normal"]))


def _bayes(settings: Settings, task: Task, seed: int) -> Any:
    """Gaussian naive Bayes."""
    from sklearn.naive_bayes import GaussianNB

    return prepared(GaussianNB(var_smoothing=settings["smoothing"]), normal=True)


FAMILIES: dict[str, Family] = {
    "short": Family(
        "regression on few features", ALL, _short, _grid(features=(2, 4, 6)), 1, True, "A", 1.0, False,
        "logit p = a + b1 x1 + ... + bk xk (regression: y = ...), the k features with the highest F statistic",
        "additive effects; the best single features are also good together",
        "a score that can be computed by hand",
    ),
    "tree": Family(
        "decision tree", ALL, _tree, _grid(depth=(2, 3, 5)), 1, False, "A", 1.1, False,
        "a chain of questions 'x_j <= t?', each the one that lowers impurity most (Breiman et al. 1984)",
        "boxes along the axes describe the classes; small changes of data may change the tree",
        "rules that can be read aloud; interactions with thresholds",
    ),
    "logistic": Family(
        "logistic regression", CLASSES, _logistic, _grid(normal=(0, 1), C=(0.01, 0.1, 1.0, 10.0)), 1, True, "B", 1.0,
        False,
        "logit p = a + b . x, minimising the log loss + |b|^2 / (2 C)",
        "effects add up on the log-odds scale",
        "few cases, many weak features; probabilities that are right",
    ),
    "linear": Family(
        "linear regression", VALUES, _linear, _grid(), 0, True, "B", 1.0, False,
        "y = a + b . x, minimising |y - a - X b|^2",
        "effects add up; ten and more cases a feature; errors of one size",
        "coefficients with a plain meaning",
    ),
    "ridge": Family(
        "ridge regression", VALUES, _ridge, _grid(normal=(0, 1), alpha=(1000.0, 100.0, 10.0, 1.0)), 2, True, "B", 1.0,
        False,
        "y = a + b . x, minimising |y - a - X b|^2 + alpha |b|^2 (Hoerl and Kennard 1970)",
        "effects add up; many small ones",
        "correlated features",
    ),
    "lasso": Family(
        "lasso", VALUES, _lasso, _grid(alpha=(0.1, 0.03, 0.01, 0.003)), 2, True, "B", 1.0, False,
        "y = a + b . x, minimising |y - a - X b|^2 / (2 n) + alpha |b|_1 (Tibshirani 1996)",
        "effects add up; few of them matter",
        "dropping features",
    ),
    "svm-linear": Family(
        "SVM (linear)", CLASSES, _svm_linear, _grid(normal=(0, 1), C=(0.003, 0.03, 0.3)), 1, False, "B", 1.0, False,
        "sign(a + b . x), minimising |b|^2 / 2 + C sum max(0, 1 - y f(x))^2; probabilities by Platt's curve",
        "a plane separates the classes",
        "more features than cases",
    ),
    "bayes": Family(
        "naive Bayes", CLASSES, _bayes, _grid(smoothing=(1e-1, 1e-3)), 0, False, "B", 1.0, False,
        "p(c | x) ~ p(c) prod_j N(x_j; m_cj, s_cj)",
        "features are independent within a class and normal after ranking",
        "very few cases; a quick baseline",
    ),
    CURVES: Family(
        "explainable boosting", ALL, _curves, _grid(steps=(32,)), 0, False, "B", 1.0, False,
        "logit p = a + f1(x1) + ... + fd(xd) (regression: y = ...), each f a staircase, found by boosting (Lou et al."
        " 2012)",
        "effects add up, each of any form; hundreds of cases",
        "thresholds and U-shapes that can be looked at, one drawing for each feature",
    ),
    "forest": Family(
        "random forest", ALL, _forest, _grid(leaf=(5, 1)), 1, False, "C", 1.2, False,
        "mean of 100 trees on bootstrap samples, splits among random features (Breiman 2001)",
        "little; hundreds of cases",
        "interactions and thresholds without tuning",
    ),
    "extra-trees": Family(
        "extra trees", ALL, _extra, _grid(leaf=(5, 1)), 1, False, "C", 1.2, False,
        "mean of 100 trees whose thresholds are drawn at random (Geurts et al. 2006)",
        "little; hundreds of cases",
        "as the forest, faster and smoother",
    ),
    "boosting": Family(
        "gradient boosting", ALL, _boosting, _grid(rate=(0.05, 0.1), trees=(50, 150)), 2, False, "C", 1.0, False,
        "sum of small trees, each fitted to the gradient of the loss, on features in 255 bins (Ke et al. 2017)",
        "hundreds to thousands of cases; gaps may carry meaning",
        "large tables; gaps",
    ),
    "svm": Family(
        "SVM (Gaussian kernel)", ALL, _svm, _grid(normal=(0, 1), gamma=(0.003, 0.03), C=(0.3, 3.0, 30.0)), 1, False,
        "D", 2.0, True,
        "f(x) = a + sum_i w_i exp(-gamma |x - x_i|^2) over stored cases (Cortes and Vapnik 1995); Platt's curve",
        "cases that lie near each other are alike in all features",
        "smooth borders of any form; up to about 20,000 cases",
    ),
    "neighbours": Family(
        "k nearest neighbours", ALL, _neighbours, _grid(normal=(0, 1), k=(31, 15, 5)), 1, False, "D", 1.0, True,
        "mean of the k training cases with the smallest |x - x_i| (Cover and Hart 1967)",
        "distance over all features means likeness; few features",
        "a baseline with examples to show: 'cases like this one'",
    ),
}  # fmt: skip


def no_such_model(name: str, known: Iterable[str], *, sees: str, others: str) -> UsageError:
    """The error for a family that is none of a table's, with the nearest one that is.

    Parameters
    ----------
    name : str
    known : iterable of str
        Names of the table.
    sees : str
        What its models are given.
    others : str
        Where families are that see something else.
    """
    near = difflib.get_close_matches(name, names := list(known), n=1)
    advice = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}; {others}"
    return UsageError(f"no model of {sees} {name!r}; {advice}")


def load_libraries() -> None:
    """Load what every family needs, as before a clock runs: that time is not the budget's."""
    from importlib import import_module

    for module in ("ensemble", "linear_model", "neighbors", "pipeline", "preprocessing", "svm", "tree"):
        import_module(f"sklearn.{module}")


def applicable(task: Task) -> dict[str, Family]:
    """Families that can answer a task, in the order of the table: the more readable first."""
    return {name: family for name, family in FAMILIES.items() if task in family.tasks}


def options(family: Family, *, cases: int, features: int) -> tuple[Settings, ...]:
    """Settings of a family that make sense for so many training cases and features.

    Neighbours must be fewer than a third of the cases, chosen features fewer than there are.

    Examples
    --------
    >>> options(FAMILIES["short"], cases=100, features=5)
    ({'features': 2}, {'features': 4})
    """
    return tuple(s for s in family.grid if s.get("k", 0) * 3 < cases and s.get("features", 0) < features)
