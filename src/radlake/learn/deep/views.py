"""Images as numbers that need no training, for classical models: a table of views, and what joins mirrored copies.

A volume is seen as its mean projections along z, y and x. Every view is taken of the image and of its mirror image, so
that a model learns from both and answers with their mean.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from radlake.core.errors import UsageError
from radlake.learn.clock import Clock
from radlake.learn.deep import extra
from radlake.learn.deep.hog import described
from radlake.learn.deep.parts import cores
from radlake.learn.deep.scale import resized
from radlake.learn.images import Axes, Images, images
from radlake.learn.journal import Journal

Floats = NDArray[np.float32]

_AT_ONCE = 64
_TAILS = (0.5, 99.5)  # percentiles of one image that become 0 and 1


def _hog(planes: Floats) -> Floats:
    """Gradients, textures and coarse means of planes (N, C, 32, 32), the channels' mean in units of each image."""
    grey = planes.mean(axis=1)
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    return described(grey / np.maximum(grey.std(axis=(1, 2), keepdims=True), 1e-6))


def _lite0(planes: Floats) -> Floats:
    """Inner layers of EfficientNet-Lite0 of planes (N, C, Y, X) between 0 and 1."""
    torch = extra.torch()
    from radlake.learn.deep.lite0 import pretrained

    network, found = pretrained(), []
    colour = planes[:, :3] if planes.shape[1] >= 3 else np.repeat(planes[:, :1], 3, axis=1)
    with torch.inference_mode():
        for start in range(0, len(colour), _AT_ONCE):
            part = torch.from_numpy(np.ascontiguousarray(colour[start : start + _AT_ONCE]))
            found.append(network(part.contiguous(memory_format=torch.channels_last)).numpy())
    return np.concatenate(found)


@dataclass(frozen=True)
class View:
    """A way to see an image as numbers.

    Parameters
    ----------
    side : int
        Pixels that planes are brought to.
    numbers : callable
        (N, C, side, side) float32 array between 0 and 1 -> (N, D) array.
    network : bool
        Whether torch computes it.
    """

    side: int
    numbers: Callable[[Floats], Floats]
    network: bool


VIEWS: dict[str, View] = {"hog": View(32, _hog, False), "lite0": View(112, _lite0, True)}


def kept_view(given: Images, view: str, journal: Journal | None, clock: Clock | None) -> Floats:
    """What `seen` gives, part by part from a journal where it is there, and written down where it is not.

    Parameters
    ----------
    given : Images
    view : str
    journal : Journal or None
        Of these images.
    clock : Clock or None
        Whose seconds are noted.
    """
    if journal is None:
        return seen(given, view)

    def one(start: int, part: Images) -> Floats:
        work = f"{view}/{start}"
        if (found := journal.find(work)) is None:
            journal.keep(work, {"numbers": (numbers := _numbers(part, view))}, {})
            return numbers
        return found[0]["numbers"]

    def note() -> None:
        journal.note({*journal.allowed, f"view/{view}"}, journal.elapsed if clock is None else clock.elapsed)

    return _in_parts(given, view, one, note)


def seen(given: Images, view: str) -> Floats:
    """Numbers of images and of their mirror images, shape (N, 2, D).

    Parameters
    ----------
    given : Images
    view : str
        Name in `VIEWS`.
    """
    return _in_parts(given, view, lambda _, part: _numbers(part, view), lambda: None)


def _in_parts(
    given: Images, view: str, one: Callable[[int, Images], Floats], done: Callable[[], None]
) -> Floats:  # fmt: skip
    """Numbers of all images, some at once on each core; `done` is called after each part that is in.

    Each on one thread, so that the bits do not depend on how many run at once.
    """
    starts = range(0, len(given), _AT_ONCE)
    found = []
    with _one_thread() if VIEWS[view].network else nullcontext(), ThreadPoolExecutor(cores()) as pool:
        for numbers in pool.map(one, starts, [given.part(slice(s, s + _AT_ONCE)) for s in starts]):
            found.append(numbers)
            done()
    return np.concatenate(found)


def _numbers(given: Images, view: str) -> Floats:
    """Numbers of a few images and of their mirror images."""
    chosen = VIEWS[view]
    planes = _planes(given.arrays, chosen.side)  # (P, N, C, side, side)
    both = [np.concatenate([chosen.numbers(p) for p in side], axis=1) for side in (planes, planes[..., ::-1])]
    return np.stack(both, axis=1)


def _one_thread() -> AbstractContextManager[None]:
    """One thread of torch for each of ours."""
    extra.torch()
    from radlake.learn.deep.trainer import threads

    return threads(1)


def _planes(arrays: NDArray[Any], side: int) -> Floats:
    """Planes between 0 and 1: flat images as they are, of volumes the three projections, (P, N, C, side, side)."""
    return np.stack([_planes_of_one(np.asarray(array), side) for array in arrays], axis=1)


def _planes_of_one(array: NDArray[Any], side: int) -> Floats:
    """Planes of one image (C, [Z,] Y, X)."""
    if array.dtype == np.uint8:
        unit: Floats = array.astype(np.float32) / np.float32(255)
    else:
        low, high = np.percentile(array, _TAILS)
        unit = np.clip(
            (array.astype(np.float32) - np.float32(low)) / max(np.float32(high - low), np.float32(1e-6)), 0, 1
        )
    planes = [unit] if unit.ndim == 3 else [unit.mean(axis=axis, dtype=np.float32) for axis in (1, 2, 3)]
    return np.stack([resized(p, (side, side)) for p in planes])


class ImageFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """Images to numbers by a view, (N, 2, D); nothing is learned but what images are accepted.

    Parameters
    ----------
    view : {"hog", "lite0"}
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image; see `radlake.learn.images.images`.
    """

    def __init__(self, view: str = "hog", *, axes: Axes = "auto") -> None:
        self.view = view
        self.axes = axes

    def fit(self, X: Any, y: Any = None) -> Self:
        """Note what images are like."""
        if self.view not in VIEWS:
            raise UsageError(f"no view {self.view!r}; there are {', '.join(VIEWS)}")
        self.contract_ = images(X, axes=self.axes).contract()
        return self

    def transform(self, X: Any) -> Floats:
        """Numbers of images, (N, 2, D).

        Raises
        ------
        UsageError
            When the images are of another kind.
        """
        check_is_fitted(self, "contract_")
        return seen(images(X, axes=self.axes).like(self.contract_), self.view)


def _can(method: str) -> Callable[[Any], bool]:
    """Whether the model inside has a method."""
    return lambda self: hasattr(self.model, method)


class OverMirrors(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classical model that learns from each image and its mirror image, and answers with the mean over both.

    Parameters
    ----------
    model : scikit-learn estimator
        Of tables.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model on (N, M, D) numbers, M looks at each of N images."""
        number, looks, _ = X.shape
        self.model_ = clone(self.model).fit(X.reshape(number * looks, -1), np.repeat(y, looks))
        if hasattr(self.model_, "classes_"):
            self.classes_ = self.model_.classes_
        return self

    @available_if(_can("decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Mean decision value over the looks, (N,) or (N, K)."""
        return self._mean("decision_function", X)

    @available_if(_can("predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Mean probability of each class, (N, K)."""
        return self._mean("predict_proba", X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Label with the highest mean decision value, or the mean value."""
        if not hasattr(self.model, "decision_function"):
            return self._mean("predict", X)
        said = self.decision_function(X)
        return np.asarray(self.classes_[np.argmax(said, axis=1) if said.ndim == 2 else (said > 0).astype(np.int64)])

    def _mean(self, method: str, X: Any) -> NDArray[np.float64]:
        """Mean over the looks of what the model says."""
        number, looks, _ = X.shape
        said = np.asarray(getattr(self.model_, method)(X.reshape(number * looks, -1)), dtype=np.float64)
        mean: NDArray[np.float64] = said.reshape(number, looks, *said.shape[1:]).mean(axis=1)
        return mean
