"""Features and images together: the image becomes one number, an image score, that stands beside the features.

The score is what a regression on frozen features of the image (`radlake.learn.deep.views`) says about a case that it
has not seen: inside every training part the cases are folded once more, and each case is scored by a model of the other
folds (stacking: Wolpert 1992). So the score of a training case is as good as that of a new one, a model that weighs it
against the features gives it the weight that it deserves, and no held-out case has any part in it. New cases get the
mean of the models of these folds. Two thousand frozen numbers next to thirty features would drown the features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.calibration import probabilities
from radlake.learn.cases import Cohort
from radlake.learn.classical import Settings
from radlake.learn.clock import Clock
from radlake.learn.families import FAMILIES, Family, Task, applicable
from radlake.learn.images import Axes, images
from radlake.learn.journal import journal_of_views
from radlake.learn.paired import Paired
from radlake.learn.problem import Floats, Problem, join
from radlake.learn.split import grouped_folds
from radlake.learn.validate import Fitted, decisions

VIEW = "lite0"
SCORE = "image score"
IMAGES = "+images"  # ends the name of a family that is given the score beside the features
_JOINED = ("logistic", "ridge", "forest", "boosting", "svm")
_FOLDS = 3
_STRENGTHS = (0.001, 0.01, 0.1)
_SURE = 1e-6


class FeaturesAlone(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """The features of cases that come with images."""

    def fit(self, X: Paired, y: Any = None) -> Self:
        """Nothing is learned."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def transform(self, X: Paired) -> Floats:
        """Features, (N, D)."""
        return X.features


class ImageScore(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Features with the image score beside them, one column for two classes or a value, else one for each class.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    seed : int
        Of the folds.
    alone : bool
        Whether the features are left out.
    """

    def __init__(self, task: Task = "binary", *, seed: int = 0, alone: bool = False) -> None:
        self.task = task
        self.seed = seed
        self.alone = alone

    def fit(self, X: Paired, y: Any) -> Self:
        """Learn the models of the folds."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Paired, y: Any) -> Floats:
        """Features with the score of each training case by a model that has not seen its patient.

        The strength of the penalty is that with the least loss on unseen cases.
        """
        fold = self._folds(X, np.asarray(y))
        tried = [self._held_out(X, np.asarray(y), fold, strength) for strength in _STRENGTHS]
        _, said, self.models_ = min(tried, key=lambda t: round(t[0], 10))
        return self._beside(X, said)

    def transform(self, X: Paired) -> Floats:
        """Features with the mean score by the models of the folds."""
        check_is_fitted(self, "models_")
        return self._beside(X, np.mean([decisions(model, X.images) for model in self.models_], axis=0))

    def _beside(self, X: Paired, score: Floats) -> Floats:
        """The features and the score."""
        return score if self.alone else np.hstack([X.features, score])

    def _folds(self, X: Paired, y: NDArray[Any]) -> NDArray[np.int64]:
        """Folds of whole groups, with equal shares of the classes."""
        groups = np.arange(len(y)) if X.groups is None else X.groups
        strata = np.zeros(len(y), np.int64) if self.task == "regression" else y
        fewest = min(len(np.unique(groups[strata == c])) for c in np.unique(strata))
        rng = np.random.default_rng([self.seed, 2])
        return grouped_folds(strata, groups, folds=max(2, min(_FOLDS, fewest)), rng=rng)

    def _held_out(
        self, X: Paired, y: NDArray[Any], fold: NDArray[np.int64], strength: float
    ) -> tuple[float, Floats, list[Any]]:
        """Loss and score of unseen cases, and the models, with one strength of the penalty."""
        models = [
            _regression(strength, self.task, self.seed).fit(X.images[fold != k], y[fold != k])
            for k in range(int(fold.max()) + 1)
        ]
        said = decisions(models[0], X.images)
        for k, model in enumerate(models):
            said[fold == k] = decisions(model, X.images[fold == k])
        if self.task == "regression":
            return float(np.mean((said[:, 0] - y) ** 2)), said, models
        p = probabilities(said)[np.arange(len(y)), np.searchsorted(np.unique(y), y)]
        return float(-np.log(np.clip(p, _SURE, 1.0)).mean()), said, models


def _regression(strength: float, task: Task, seed: int) -> Any:
    """Logistic or ridge regression on what is seen of an image and of its mirror image."""
    from radlake.learn.deep.views import OverMirrors

    name: str = "ridge" if task == "regression" else "logistic"
    settings = {"alpha": 1 / strength} if task == "regression" else {"C": strength}
    return OverMirrors(FAMILIES[name].make({"normal": 0, **settings}, task, seed))


class Looks(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pixels to the numbers of the view, features as they are: the first step of a model of both that is saved.

    Parameters
    ----------
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image; see `radlake.learn.images.images`.
    """

    def __init__(self, *, axes: Axes = "auto") -> None:
        self.axes = axes

    def fit(self, X: Paired, y: Any = None) -> Self:
        """Note what images are like."""
        self.contract_ = images(X.images, axes=self.axes).contract()
        return self

    def transform(self, X: Any) -> Paired:
        """Features with the numbers of the view.

        Raises
        ------
        UsageError
            When there are no images, or they are of another kind.
        """
        from radlake.learn.deep.views import seen

        check_is_fitted(self, "contract_")
        if not isinstance(X, Paired):
            raise UsageError("the model sees features and images: give radlake.learn.Paired(features, images)")
        return Paired(X.features, seen(images(X.images, axes=self.axes).like(self.contract_), VIEW))


def with_looks(given: Problem, pictures: Any, clock: Clock, folder: Path | None) -> Problem:
    """The problem with what is seen of the images; patients whose images are nearly the same are joined.

    Parameters
    ----------
    given : Problem
    pictures : images
        Of the same cases.
    clock : Clock
    folder : Path or None
        Of a journal, where what is seen is kept.

    Raises
    ------
    UsageError
        When there is not one image for each case.
    """
    from radlake.learn.deep.views import kept_view
    from radlake.learn.duplicates import near_duplicates

    found = images(pictures)
    if len(found) != len(given.y):
        raise UsageError(f"expected one image for each of {len(given.y)} cases, got {len(found)}")
    twins, _ = near_duplicates(found)
    kept = None
    if folder is not None:
        kept = journal_of_views(folder, found.digest())
        clock.go_on(kept.allowed, kept.elapsed)
    looks = kept_view(found, VIEW, kept, clock)
    return replace(given, groups=join(len(found), given.groups, twins), looks=looks)


def families(given: Problem) -> dict[str, Family]:
    """Families that can be tried: where images were given, those of tables, and some with the score beside.

    So that the choice tells whether the images add to the features: those that see only these are easier to read.
    """
    known = applicable(given.task)
    if given.looks is None:
        return known
    alone = {name: replace(family, make=_after_first(FeaturesAlone, family)) for name, family in known.items()}
    name = "ridge" if given.task == "regression" else "logistic"
    return alone | {
        f"score{IMAGES}": _with_score("the image score alone", known[name], alone=True),
        **{
            f"{name}{IMAGES}": _with_score(f"{known[name].title} with the image score", known[name])
            for name in _JOINED
            if name in known
        },
    }  # fmt: skip


def _with_score(title: str, family: Family, *, alone: bool = False) -> Family:
    """A family that is given the image score; nobody can follow how that comes about."""

    def first(task: Task, seed: int) -> Any:
        return ImageScore(task, seed=seed, alone=alone)

    return replace(
        family, title=title, make=_after_first(first, family), calibrated=False, grade="D",
        assumes=f"{family.assumes}; edges, textures and parts that photographs have are useful in these images as well",
        grid=family.grid[family.usual : family.usual + 1] if alone else family.grid, usual=0 if alone else family.usual,
    )  # fmt: skip


def _after_first(first: Callable[..., Any], family: Family) -> Callable[[Settings, Task, int], Any]:
    """What makes a family's pipeline behind a first step that takes features and images apart."""

    def make(settings: Settings, task: Task, seed: int) -> Any:
        step = first() if first is FeaturesAlone else first(task, seed)
        return Pipeline([("inputs", step), *family.make(settings, task, seed).steps])

    return make


def final(fitted: Fitted, pixels: NDArray[Any], axes: Axes = "auto") -> Fitted:
    """A chosen model as it is saved: of features alone, or of features and pixels (`radlake.learn.problem.Paired`).

    Parameters
    ----------
    fitted : Fitted
        Of what is seen of the images.
    pixels : images
        Those of training.
    axes : Axes
    """
    steps = fitted.pipeline.steps
    if isinstance(steps[0][1], FeaturesAlone):
        return replace(fitted, pipeline=Pipeline(steps[1:]))
    looks = Looks(axes=axes).fit(Paired(np.empty((len(pixels), 0)), pixels))
    return replace(fitted, pipeline=Pipeline([("looks", looks), *steps]))


def sees_images(fitted: Fitted) -> bool:
    """Whether a model of features needs the images as well."""
    steps = getattr(fitted.pipeline, "steps", None)
    return steps is not None and isinstance(steps[0][1], Looks)


def inputs_of(model: Any, cases: Cohort, names: tuple[str, ...]) -> Any:
    """What a model is given of cases: features in its order, pixels, or both.

    Raises
    ------
    UsageError
        When something that it needs is not there.
    """
    found = cases.columns(names)
    if not sees_images(model):
        return found
    if cases.pixels is None:
        raise UsageError("the model sees features and images: give a lake with its private part, or the images")
    return Paired(found, cases.pixels)
