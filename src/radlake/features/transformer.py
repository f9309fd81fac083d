"""Features in scikit-learn's pipelines: from pairs of image and mask to numbers, and to those that are stable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, Image
from radlake.features.extract import extract
from radlake.features.stability import Perturbation, perturbed
from radlake.features.stable import verdicts

if TYPE_CHECKING:
    Base = object
else:
    from sklearn.base import BaseEstimator, TransformerMixin

    class Base(TransformerMixin, BaseEstimator):
        """What scikit-learn asks of a transformer."""


class RadiomicsTransformer(Base):
    """Transformer from a list of (image, mask) to an (n, features) array of numbers, units as in `extract`.

    With `changes` it gives (n, 1 + changes, features): each case as its mask is drawn, then under small changes of the
    mask, for `radlake.features.StableFeatures` to choose by.

    Nothing is learned but the names of the features, from the first case that can be measured. A feature that a case
    lacks, or a case that cannot be measured, is NaN: impute it in the next step.

    Parameters
    ----------
    families : sequence of str, optional
        As for `radlake.features.extract`.
    preset : str, optional
        As for `extract`, instead of options.
    spacing : floats, optional
        Of arrays, in millimetres.
    options : dict, optional
        Further options of `extract`, such as ``{"bin_width": 25}``.
    changes : sequence of Perturbation, optional
        Such as `radlake.features.stability.USUAL`, which is of volumes.

    Attributes
    ----------
    feature_names_ : list of str

    Examples
    --------
    >>> cases = [(np.arange(27.0).reshape(3, 3, 3) * k, np.ones((3, 3, 3), bool)) for k in (1, 2)]
    >>> RadiomicsTransformer(families=["intensity"]).fit_transform(cases)[:, 0].tolist()
    [13.0, 26.0]
    """

    def __init__(
        self,
        *,
        families: Sequence[str] | None = None,
        preset: str | None = None,
        spacing: Sequence[float] | None = None,
        options: dict[str, Any] | None = None,
        changes: Sequence[Perturbation] | None = None,
    ) -> None:
        self.families = families
        self.preset = preset
        self.spacing = spacing
        self.options = options
        self.changes = changes

    def fit(self, X: Sequence[tuple[Image | Array, Image | Array]], y: object = None) -> RadiomicsTransformer:
        """Learn the names of the features.

        Raises
        ------
        ValueError
            When no case can be measured.
        """
        del y
        for image, mask in X:
            try:
                self.feature_names_ = [*self._values(image, mask)]
            except ItemError:
                continue
            return self
        raise ValueError("no case could be measured; look at one with radlake.features.extract")

    def transform(self, X: Sequence[tuple[Image | Array, Image | Array]]) -> NDArray[np.float64]:
        """Features of each case, one row a case, columns as in `feature_names_`; with changes, these in between."""
        if not self.changes:
            return np.stack([self._row(image, mask) for image, mask in X])
        return np.stack(
            [
                np.stack([self._row(image, mask), *(self._changed(image, mask, change) for change in self.changes)])
                for image, mask in X
            ]
        )

    def _changed(self, image: Image | Array, mask: Image | Array, change: Perturbation) -> NDArray[np.float64]:
        """Features of a case under a change of its mask."""
        moved = perturbed(mask, change, spacing=self.spacing)
        return self._row(image, mask.with_array(moved) if isinstance(mask, Image) else moved)

    def _row(self, image: Image | Array, mask: Image | Array) -> NDArray[np.float64]:
        """Features of one case; NaN where there is none."""
        try:
            values = self._values(image, mask)
        except ItemError:
            return np.full(len(self.feature_names_), np.nan)
        found = (values.get(name) for name in self.feature_names_)
        return np.array([np.nan if value is None else value for value in found], np.float64)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns."""
        del input_features
        return np.array(self.feature_names_, dtype=object)

    def _values(self, image: Image | Array, mask: Image | Array) -> dict[str, float | None]:
        """Values of one case by name."""
        return extract(
            image, mask, families=self.families, preset=self.preset, spacing=self.spacing, as_dict=True,
            **(self.options or {}),
        )  # fmt: skip


class StableFeatures(Base):
    """Selector of features that stay the same when cases are measured again, one of each cluster that says the same.

    Fitted on (cases, measurements, features): what `RadiomicsTransformer(changes=...)` gives, or scans and their
    repeats. Inside cross-validation it sees the training cases only, and so do its choices. The first measurement of
    each case goes on to the next step.

    Parameters
    ----------
    least : float
        Of ICC(2,1).
    by_lower_bound : bool
        Whether the lower end of its interval must reach that.
    redundancy : float or None
        Absolute rank correlation from which features are one cluster; None: none is.

    Attributes
    ----------
    verdicts_ : list of Verdict
        One a feature.
    kept_ : (kept,) int array
        Places of the features that go on.

    Examples
    --------
    >>> first = np.random.default_rng(0).normal(size=(20, 1))
    >>> steady, loose = np.hstack([first, first + 0.01]), np.hstack([first, -first])
    >>> StableFeatures().fit_transform(np.stack([loose, steady], axis=2)).shape
    (20, 1)
    """

    def __init__(self, *, least: float = 0.75, by_lower_bound: bool = True, redundancy: float | None = 0.9) -> None:
        self.least = least
        self.by_lower_bound = by_lower_bound
        self.redundancy = redundancy

    def fit(self, X: NDArray[np.floating], y: object = None) -> StableFeatures:
        """Judge the features by repeated measurements, shape (cases, measurements, features).

        Raises
        ------
        ValueError
            For another shape, or when no feature is reliable.
        """
        del y
        if np.ndim(X) != 3 or np.shape(X)[1] < 2:
            raise ValueError(f"expected (cases, measurements, features) with 2 or more measurements, got {np.shape(X)}")
        columns = {str(k): np.asarray(X[:, :, k], np.float64) for k in range(np.shape(X)[2])}
        found = verdicts(columns, least=self.least, by_lower_bound=self.by_lower_bound, redundancy=self.redundancy)
        self.verdicts_ = [*found.values()]
        self.kept_ = np.array([k for k, verdict in enumerate(self.verdicts_) if verdict.kept], np.int64)
        if self.kept_.size == 0:
            raise ValueError(f"none of {len(columns)} features is reliable by an ICC of {self.least}; ask for less")
        return self

    def transform(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """The kept features: of (cases, measurements, features) the first measurement, or of (cases, features)."""
        table = np.asarray(X, np.float64)
        first = table[:, 0] if table.ndim == 3 else table
        if first.ndim != 2 or first.shape[1] != len(self.verdicts_):
            raise ValueError(f"expected {len(self.verdicts_)} features, got an array of shape {table.shape}")
        return np.asarray(first[:, self.kept_])

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> NDArray[np.object_]:
        """Names of the columns that are left."""
        names = input_features if input_features is not None else [f"x{k}" for k in range(len(self.verdicts_))]
        return np.array([names[k] for k in self.kept_], dtype=object)
