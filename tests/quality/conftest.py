"""Small images and slice rows that the tests of several checks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from radlake.core.image import Geometry, Image


@pytest.fixture
def wrap() -> Callable[..., Image]:
    """Array to image: unit spacing, spatial axes counted from the array."""

    def build(array: np.ndarray, **options: Any) -> Image:
        extra = sum(options.get(name) is not None for name in ("channel_axis", "time_axis"))
        spacing = options.pop("spacing", (1.0,) * (array.ndim - extra))
        calibrated = options.pop("calibrated", True)
        return Image(array, Geometry(spacing, calibrated=calibrated), **options)

    return build


@pytest.fixture
def slices() -> Callable[..., list[dict[str, Any]]]:
    """Rows of `instances` for axial slices at some heights, numbered from 1 unless told."""

    def build(heights: Any, numbers: Any = None, shear: float = 0.0) -> list[dict[str, Any]]:
        heights = [float(h) for h in heights]
        numbers = range(1, len(heights) + 1) if numbers is None else numbers
        return [
            {"position": [0.0, shear * h, h], "orientation": [1, 0, 0, 0, 1, 0], "instance_number": n}
            for h, n in zip(heights, numbers, strict=True)
        ]

    return build


@pytest.fixture
def disc() -> Callable[..., np.ndarray]:
    """Bright disc (100) on dark ground (0), with normal noise."""

    def build(side: int = 128, sigma: float = 0.0, seed: int = 0) -> np.ndarray:
        y, x = np.mgrid[:side, :side] - side / 2
        noise = np.random.default_rng(seed).normal(0, 1, (side, side)) * sigma
        return (100.0 * (np.hypot(y, x) < 0.35 * side) + noise).astype(np.float32)

    return build
