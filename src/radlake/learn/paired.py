"""Features of cases beside their images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Paired:
    """Features of cases and their images, row by row: what a model of both is given.

    Parameters
    ----------
    features : (N, D) float array
    images : (N, ...) array
        Pixels, or numbers that were made of them.
    groups : (N,) array, optional
        What is kept together when a model is fitted.
    """

    features: NDArray[np.float64]
    images: NDArray[Any]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.features)

    @property
    def shape(self) -> tuple[int, ...]:
        """Cases and features."""
        return self.features.shape

    @property
    def size(self) -> int:
        """Values of the features, and of the images."""
        return self.features.size + self.images.size

    @property
    def nbytes(self) -> int:
        """Bytes of the features, and of the images that are numbers."""
        return self.features.nbytes + self.images.nbytes

    def __getitem__(self, chosen: Any) -> Paired:
        return Paired(self.features[chosen], self.images[chosen], None if self.groups is None else self.groups[chosen])
