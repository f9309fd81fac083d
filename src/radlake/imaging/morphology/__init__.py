"""Morphology with lengths in millimetres: of grey images and masks (`grey`), and of masks alone (`masks`)."""

from radlake.imaging.morphology.grey import (
    black_hat,
    closing,
    dilate,
    erode,
    footprint_of,
    gradient,
    opening,
    top_hat,
)
from radlake.imaging.morphology.masks import distance_map, fill_holes, remove_small, skeleton

__all__ = [
    "black_hat",
    "closing",
    "dilate",
    "distance_map",
    "erode",
    "fill_holes",
    "footprint_of",
    "gradient",
    "opening",
    "remove_small",
    "skeleton",
    "top_hat",
]
