"""Weights of smoothing and of its second derivative, along one axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def smoothing(sigma: float) -> NDArray[np.float64]:
    """Samples of a Gaussian to 4 sigma, with sum 1."""
    radius = max(1, round(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def curving(sigma: float) -> NDArray[np.float64]:
    """Samples of a Gaussian's second derivative, made exact for constants and parabolas although it is cut off."""
    gauss = smoothing(sigma)
    x = np.arange(gauss.size) - gauss.size // 2
    weights = gauss * (x**2 / sigma**2 - 1)
    # Subtracting a multiple of the Gaussian keeps the shape, while a constant would lift the ends
    weights -= gauss * weights.sum()
    return np.asarray(weights * 2 / np.sum(weights * x**2))
