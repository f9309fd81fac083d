"""Pure functions on images: filters, morphology, segmentation, display.

Images and plain arrays go in, the same come out. `FILTERS`, `MORPHOLOGY`, `MASK_OPERATIONS` and `SEGMENTERS` list what
pipelines and the command line can name; every entry is tested by the contract battery. Heavy libraries load at the
first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radlake.imaging import filters, masks, morphology, segment

FILTERS: dict[str, Callable[..., Any]] = {
    "gaussian": filters.gaussian,
    "mean": filters.mean,
    "median": filters.median,
}

MORPHOLOGY: dict[str, Callable[..., Any]] = {
    "dilate": morphology.dilate,
    "erode": morphology.erode,
    "opening": morphology.opening,
    "closing": morphology.closing,
    "gradient": morphology.gradient,
    "top_hat": morphology.top_hat,
    "black_hat": morphology.black_hat,
}

MASK_OPERATIONS: dict[str, Callable[..., Any]] = {
    "fill_holes": masks.fill_holes,
    "remove_small": masks.remove_small,
    "distance_map": masks.distance_map,
}

SEGMENTERS: dict[str, Callable[..., Any]] = {
    "otsu": segment.otsu,
    "foreground": segment.foreground,
}
