"""Networks with scikit-learn's contract: `fit`, `predict`, `predict_proba`, `get_params`, `clone`.

A trained one splits into a description (JSON) and tensors, from which it can be made again: so bundles keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin

from radlake.core.errors import UsageError
from radlake.learn.deep.ensemble import Together, parts_of_each
from radlake.learn.deep.model import ImageModel
from radlake.learn.deep.segmenter import ImageSegmenter


class ImageClassifier(ClassifierMixin, ImageModel):  # type: ignore[misc] # scikit-learn has no types
    """A network that tells classes of images apart; its options are those of `ImageModel`.

    Attributes
    ----------
    classes_ : (K,) array
        Labels in the order of the columns of `predict_proba`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(60) % 2
    >>> x = rng.normal(size=(60, 8, 8)) + 2 * y[:, None, None]
    >>> model = ImageClassifier("cnn-small", epochs=3, batch=20).fit(x, y)
    >>> bool((model.predict(x) == y).mean() > 0.9), model.predict_proba(x).shape
    (True, (60, 2))
    """

    _EXTRA = ("classes_",)

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Train a fresh network.

        Parameters
        ----------
        X : images
            (N, Y, X), (N, Y, X, C), (N, Z, Y, X), (N, Z, Y, X, C), or a list of single images of mixed sizes.
        y : (N,) array
            Labels.
        groups : (N,) array, optional
            Patient of each image, for what `patience` holds out.

        Raises
        ------
        UsageError
            When the images cannot be used, there is one class only, or no such network.
        """
        return self._train(X, *self._target(y), groups)

    def _target(self, y: Any) -> tuple[NDArray[Any], int]:
        self.classes_, code = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise UsageError("all images have the same label; a model needs two classes: check the label column")
        return code.astype(np.int64), len(self.classes_)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log odds of the second class, shape (N,), or logits of each class, shape (N, K)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probability of each class, shape (N, K)."""
        from scipy.special import softmax

        found: NDArray[np.float64] = softmax(self._scores(X), axis=1)
        return found

    def predict(self, X: Any) -> NDArray[Any]:
        """Most probable label of each image."""
        best = np.argmax(self._scores(X), axis=1)
        return np.asarray(self.classes_[best])

    def _outputs(self) -> int:
        return len(self.classes_)


class ImageRegressor(RegressorMixin, ImageModel):  # type: ignore[misc] # scikit-learn has no types
    """A network that tells a value of each image; its options are those of `ImageModel`.

    Attributes
    ----------
    center_, spread_ : float
        Mean and standard deviation of the training values.
    """

    _EXTRA = ("center_", "spread_")

    def fit(self, X: Any, y: Any, *, groups: Any = None) -> Self:
        """Train a fresh network on the values `y`, (N,); images as in `ImageClassifier.fit`.

        Raises
        ------
        UsageError
            When the images cannot be used, or the values are not finite or all the same.
        """
        return self._train(X, *self._target(y), groups)

    def _target(self, y: Any) -> tuple[NDArray[Any], int]:
        values = np.asarray(y, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or not np.ptp(values) > 0:
            raise UsageError("the outcome must be one finite value an image that differs between images")
        self.center_, self.spread_ = values.mean(), values.std()
        return ((values - self.center_) / self.spread_)[:, None].astype(np.float32), 1

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Value of each image, shape (N,)."""
        found = self._scores(X)[:, 0]
        return np.asarray(found * self.spread_ + self.center_)

    def _outputs(self) -> int:
        return 1


ESTIMATORS: dict[str, Any] = {
    "ImageClassifier": ImageClassifier,
    "ImageRegressor": ImageRegressor,
    "ImageSegmenter": ImageSegmenter,
}


def from_parts(description: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Any:
    """A trained model of any kind from what its `parts` gave.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the description names no estimator of this table, or the parts do not fit each other.
    """
    name = description["estimator"]
    if name == "Together":
        return Together([from_parts(*each) for each in parts_of_each(description, tensors)])
    if name not in ESTIMATORS:
        raise ValueError("the description names an estimator that radlake does not have")
    return ESTIMATORS[name].from_parts(description, tensors)
