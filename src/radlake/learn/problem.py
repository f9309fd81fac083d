"""What is asked of a model: cases, outcome and patients, checked.

`problem` turns what people have (arrays, data frames, words as labels) into arrays, and refuses what cannot be learned
from with a message that names the problem and what to do. Messages name columns and counts, never values.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.families import Task
from radlake.learn.metrics import auc
from radlake.learn.paired import Paired

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOST_CLASSES = 20  # whole numbers with more different values than this are taken for a quantity
_TOO_GOOD = 0.995  # a single feature that separates better than this is more often a leak than a discovery
_COARSE = 10  # different values of a feature that is no measurement
_FINE_FEATURES = 3  # measurements that must agree before two cases are one: a thousand combinations and more


@dataclass(frozen=True, eq=False)
class Problem:
    """Cases to learn from.

    Parameters
    ----------
    features : (N, D) float array
        NaN where a value is missing.
    y : (N,) array
        Class number (int) or value (float).
    groups : (N,) int array
        Cases of one group are never on both sides of a split: patients, joined where cases are duplicates.
    names : tuple of D str
    task : Task
    classes : tuple
        Labels by class number; empty for regression.
    looks : (N, M, V) array, optional
        What is seen of each case's image, where models are given both; see `radlake.learn.both`.
    """

    features: Floats
    y: NDArray[Any]
    groups: Ints
    names: tuple[str, ...]
    task: Task
    classes: tuple[int | float | str, ...]
    looks: NDArray[Any] | None = None

    def part(self, chosen: Bools) -> Problem:
        """The same problem with some cases only."""
        return Problem(
            self.features[chosen], self.y[chosen], self.groups[chosen], self.names, self.task, self.classes,
            None if self.looks is None else self.looks[chosen],
        )  # fmt: skip

    @property
    def inputs(self) -> Any:
        """What models are given: the features, or these with what is seen of the images."""
        return self.features if self.looks is None else Paired(self.features, self.looks, self.groups)

    @property
    def strata(self) -> Ints:
        """What folds should hold in equal shares: the class, or the outcome's fifths."""
        if self.task != "regression":
            return np.asarray(self.y, dtype=np.int64)
        fifth = np.searchsorted(np.quantile(self.y, [0.2, 0.4, 0.6, 0.8]), self.y)
        return fifth if _spread_enough(fifth, self.groups) else np.zeros_like(fifth)

    @property
    def digest(self) -> str:
        """SHA-256 of the data."""
        found = hashlib.sha256(repr((self.names, self.task, self.classes)).encode())
        for array in (self.features, self.y, self.groups, *([] if self.looks is None else [self.looks])):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


@dataclass(frozen=True)
class Fingerprint:
    """The data in numbers that decide which models are worth trying.

    Parameters
    ----------
    cases, groups, features : int
    fewest : int
        Groups with the rarest class; all groups for regression.
    prevalence : tuple of float
        Share of each class.
    missing : float
        Share of the values that are missing.
    duplicates : int
        Cases whose features equal those of another case.
    empty, constant : tuple of str
        Features without any value, or with only one.
    too_good : tuple of str
        Features that tell the outcome nearly alone.
    """

    cases: int
    groups: int
    features: int
    fewest: int
    prevalence: tuple[float, ...]
    missing: float
    duplicates: int
    empty: tuple[str, ...]
    constant: tuple[str, ...]
    too_good: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def problem(
    features: Any,
    y: Any,
    *,
    groups: Any = None,
    clusters: Any = None,
    task: Task | None = None,
    names: Sequence[str] | None = None,
) -> Problem:
    """Check cases and turn them into arrays.

    Parameters
    ----------
    features : (N, D) array or data frame
        Numbers; NaN or None where a value is missing.
    y : (N,) array
        Labels (any two or more), or values for regression.
    groups : (N,) array, optional
        Patient of each case; every case its own by default.
    clusters : (N,) array, optional
        Near-duplicate cluster of each case, joined with the patients. Cases with equal features are joined anyway.
    task : {"binary", "multiclass", "regression"}, optional
        By default what `y` looks like: text, truth values and up to 20 different whole numbers are classes.
    names : sequence of D str, optional
        Names of the features; by default those of the data frame, or "feature 1" and so on.

    Raises
    ------
    UsageError
        When shapes do not fit, a column holds text, there is one class only, an outcome is missing, no feature
        varies, or a feature is the outcome itself.

    Examples
    --------
    >>> given = problem([[1.0, 5.0], [2.0, None], [4.0, 7.0]], ["no", "yes", "no"])
    >>> given.task, given.classes, given.y.tolist()
    ('binary', ('no', 'yes'), [0, 1, 0])
    """
    columns = _names(features, names)
    values = _numbers(features, columns)
    known = labelled(len(values), y, groups=groups, clusters=clusters, task=task)
    outcome, joined = known.y, join(len(values), known.groups, _equal_rows(values))
    found = Problem(values, outcome, joined, columns, known.task, known.classes)
    if not _varies(values).any():
        raise UsageError("no feature varies, so that nothing can be learned; check how the features were made")
    for name, column in zip(columns, values.T, strict=True):
        if len(values) > 2 and _one_to_one(column, outcome):
            raise UsageError(f"feature {name!r} is the outcome itself under another name; leave it out")
    return found


def labelled(cases: int, y: Any, *, groups: Any = None, clusters: Any = None, task: Task | None = None) -> Problem:
    """Cases without features: outcome and groups, checked.

    Parameters
    ----------
    cases : int
    y, groups, clusters, task
        As in `problem`.

    Raises
    ------
    UsageError
        When shapes do not fit, there is one class only, or an outcome is missing.
    """
    outcome, classes, kind = _outcome(y, task, cases)
    joined = join(cases, *[_column(g, cases, "groups") for g in (groups, clusters) if g is not None])
    return Problem(np.empty((cases, 0)), outcome, joined, (), kind, classes)


def _names(features: Any, names: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the features."""
    if names is None and hasattr(features, "columns"):
        names = [str(c) for c in features.columns]
    shape = np.shape(features)
    if len(shape) != 2 or not all(shape):
        raise UsageError(f"features must be a table, cases by features, with at least one of each; got shape {shape}")
    if names is None:
        return tuple(f"feature {i + 1}" for i in range(shape[1]))
    if len(names) != shape[1] or len(set(names)) != len(names):
        raise UsageError(f"expected {shape[1]} different names of features, got {len(set(names))}")
    return tuple(names)


def _numbers(features: Any, names: tuple[str, ...]) -> Floats:
    """Features as float64, or a message that names the columns with text."""
    table = np.asarray(features)
    try:
        values = table.astype(np.float64)
    except (TypeError, ValueError):
        bad = [name for name, column in zip(names, table.T, strict=True) if not _is_numeric(column)]
        raise UsageError(
            f"columns with text: {', '.join(bad[:10])}; features must be numbers: encode categories as 0 and 1 (one"
            " column each), and write missing values as empty"
        ) from None
    if infinite := int(np.isinf(values).sum()):
        raise UsageError(
            f"infinite values: {infinite} of {values.size}; write them as missing (NaN) or repair the measurement"
        )
    return np.ascontiguousarray(values)


def _is_numeric(column: NDArray[Any]) -> bool:
    """Whether every value is a number or missing."""
    try:
        column.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _column(values: Any, cases: int, what: str) -> NDArray[Any]:
    """A (cases,) array without gaps."""
    column = np.asarray(values)
    if column.shape != (cases,):
        raise UsageError(f"{what} must have one entry for each of the {cases} cases; got shape {column.shape}")
    if missing := sum(v is None or (isinstance(v, float) and math.isnan(v)) for v in column.tolist()):
        raise UsageError(f"{missing} of {cases} entries of {what} are missing; leave those cases out")
    return column


def _outcome(y: Any, task: Task | None, cases: int) -> tuple[NDArray[Any], tuple[int | float | str, ...], Task]:
    """Class numbers or values, the labels, and the task."""
    column = _column(y, cases, "the outcome")
    if column.dtype.kind == "O":
        column = column.astype(str)
    labels, code = np.unique(column, return_inverse=True)
    kind = task or _task(labels)
    if kind == "regression":
        if column.dtype.kind not in "biuf":
            raise UsageError("the outcome holds text; regression needs numbers: give task='multiclass' for classes")
        if len(labels) < 2 or not np.isfinite(column.astype(np.float64)).all():
            raise UsageError("the outcome must be finite and differ between cases")
        return column.astype(np.float64), (), kind
    if len(labels) < 2:
        raise UsageError("all cases have the same label; a model needs cases of two classes: check the label column")
    if kind == "binary" and len(labels) != 2:
        raise UsageError(f"the outcome has {len(labels)} classes; give task='multiclass', or join some")
    return code.astype(np.int64), tuple(labels.tolist()), "binary" if len(labels) == 2 else "multiclass"


def _task(labels: NDArray[Any]) -> Task:
    """What distinct outcomes look like."""
    if len(labels) <= 2:
        return "binary"
    if labels.dtype.kind in "USb":
        return "multiclass"
    whole = bool((labels == np.round(labels)).all())
    return "multiclass" if whole and len(labels) <= _MOST_CLASSES else "regression"


def join(cases: int, *partitions: NDArray[Any]) -> Ints:
    """Groups such that cases which share a group in any partition are together, numbered from 0.

    Parameters
    ----------
    cases : int
    *partitions : (cases,) arrays
        Group of each case by one criterion; none leaves every case alone.

    Examples
    --------
    >>> join(4, np.array(["a", "a", "b", "c"]), np.array([1, 2, 2, 3])).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = [np.arange(cases)]
    columns = [np.arange(cases)]
    for partition in partitions:
        _, first, place = np.unique(partition, return_index=True, return_inverse=True)
        rows.append(np.arange(cases))
        columns.append(first[place])
    ends = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(cases, cases))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _equal_rows(values: Floats) -> Ints:
    """Number of each distinct row; gaps equal gaps. Few coarse features agree by chance: then every row is its own."""
    fine = sum(len(np.unique(column[~np.isnan(column)])) > _COARSE for column in values.T)
    if fine < _FINE_FEATURES:
        return np.arange(len(values))
    filled = np.where(np.isnan(values), np.finfo(np.float64).max, values) + 0.0  # -0.0 becomes 0.0
    return np.unique(filled, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _varies(values: Floats) -> Bools:
    """Whether a feature has two different values."""
    known = ~np.isnan(values)
    low = np.where(known, values, np.inf).min(axis=0)
    high = np.where(known, values, -np.inf).max(axis=0)
    return np.asarray(high > low)


def _one_to_one(column: Floats, y: NDArray[Any]) -> bool:
    """Whether a feature has one value for each label, and another for each other label."""
    if np.isnan(column).any():
        return False
    values, labels = len(np.unique(column)), len(np.unique(y))
    pairs = len(np.unique(np.stack([column, y.astype(np.float64)]), axis=1).T)
    return values == labels == pairs and (labels < len(y) or np.array_equal(column, y))


def _spread_enough(strata: Ints, groups: Ints) -> bool:
    """Whether every stratum occurs in so many groups that any usual number of folds can share it."""
    return all(len(np.unique(groups[strata == s])) >= 10 for s in np.unique(strata))


def fingerprint(given: Problem) -> Fingerprint:
    """The numbers that describe a problem."""
    values, names = given.features, np.array(given.names, dtype=object)
    empty = np.isnan(values).all(axis=0)
    groups = len(np.unique(given.groups))
    fewest, prevalence = groups, ()
    if given.task != "regression":
        counts = np.bincount(given.y, minlength=len(given.classes))
        prevalence = tuple((counts / counts.sum()).tolist())
        fewest = min(len(np.unique(given.groups[given.y == c])) for c in range(len(given.classes)))
    _, sizes = np.unique(_equal_rows(values), return_counts=True)
    return Fingerprint(
        cases=len(values), groups=groups, features=values.shape[1], fewest=fewest, prevalence=prevalence,
        missing=float(np.isnan(values).mean()), duplicates=int(sizes[sizes > 1].sum()),
        empty=tuple(names[empty]), constant=tuple(names[~empty & ~_varies(values)]),
        too_good=tuple(name for name, column in zip(given.names, values.T, strict=True) if _tells(column, given)),
    )  # fmt: skip


def _tells(column: Floats, given: Problem) -> bool:
    """Whether one feature alone gives the outcome nearly away."""
    known = ~np.isnan(column)
    x, y = column[known], given.y[known]
    if known.sum() < 20 or len(np.unique(y)) < 2 or x.min() == x.max():
        return False
    if given.task == "regression":
        return bool(abs(np.corrcoef(x, y)[0, 1]) > _TOO_GOOD)
    areas = [float(auc(y == c, x)) for c in np.unique(y)]
    return min(max(a, 1 - a) for a in areas) > _TOO_GOOD
