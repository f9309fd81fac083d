"""Features in scikit-learn's pipelines: from pairs of image and mask to a table of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.core.image import Array, Image
from radlake.features.extract import extract

if TYPE_CHECKING:
    Base = object
else:
    from sklearn.base import BaseEstimator, TransformerMixin

    class Base(TransformerMixin, BaseEstimator):
        """What scikit-learn asks of a transformer."""


class RadiomicsTransformer(Base):
    """Transformer from a list of (image, mask) to an (n, features) array of numbers, units as in `extract`.

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
    ) -> None:
        self.families = families
        self.preset = preset
        self.spacing = spacing
        self.options = options

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
        """Features of each case, one row a case, columns as in `feature_names_`."""
        table = np.full((len(X), len(self.feature_names_)), np.nan)
        for row, (image, mask) in zip(table, X, strict=True):
            try:
                values = self._values(image, mask)
            except ItemError:
                continue
            found = (values.get(name) for name in self.feature_names_)
            row[:] = [np.nan if value is None else value for value in found]
        return table

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
