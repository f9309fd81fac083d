"""Edges: derivatives per millimetre (`derivatives`) and Canny's thin edges (`thin`)."""

from radlake.imaging.edges.derivatives import (
    Operator,
    gradient,
    gradient_magnitude,
    laplacian,
    laplacian_of_gaussian,
    prewitt,
    scharr,
    sobel,
)
from radlake.imaging.edges.thin import canny

__all__ = [
    "Operator",
    "canny",
    "gradient",
    "gradient_magnitude",
    "laplacian",
    "laplacian_of_gaussian",
    "prewitt",
    "scharr",
    "sobel",
]
