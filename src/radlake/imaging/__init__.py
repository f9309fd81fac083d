"""Pure functions on images: filters, edges, enhancement, morphology, segmentation, geometry, display.

Images and plain arrays go in, the same come out. `FILTERS`, `RESPONSES`, `EDGES`, `ENHANCERS`, `MORPHOLOGY`,
`MASK_OPERATIONS`, `SEGMENTERS`, `CLASSIFIERS` and `ANATOMY` list what needs no second input; every entry is tested by
the contract battery. Their steps are in `stages`. Heavy libraries load at the first call. `with threads(2):` lets
kernels use two threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radlake.imaging import edges, enhance, filters, morphology, resample, segment
from radlake.imaging.kernels.threads import threads

__all__ = ["edges", "enhance", "filters", "morphology", "resample", "segment", "threads"]

FILTERS: dict[str, Callable[..., Any]] = {
    "gaussian": filters.gaussian,
    "mean": filters.mean,
    "median": filters.median,
    "unsharp": filters.unsharp,
    "bilateral": filters.bilateral,
    "non_local_means": filters.non_local_means,
    "anisotropic_diffusion": filters.anisotropic_diffusion,
}

RESPONSES: dict[str, Callable[..., Any]] = {
    "laplacian_of_gaussian": filters.laplacian_of_gaussian,
    "laws": filters.laws,
    "gabor": filters.gabor,
    "wavelet": filters.wavelet,
    "simoncelli": filters.simoncelli,
    "riesz": filters.riesz,
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
    "fill_holes": morphology.fill_holes,
    "remove_small": morphology.remove_small,
    "skeleton": morphology.skeleton,
    "distance_map": morphology.distance_map,
}

SEGMENTERS: dict[str, Callable[..., Any]] = {
    "otsu": segment.otsu,
    "foreground": segment.foreground,
    "li": segment.li,
    "triangle": segment.triangle,
}

EDGES: dict[str, Callable[..., Any]] = {
    "gradient_magnitude": edges.gradient_magnitude,
    "sobel": edges.sobel,
    "prewitt": edges.prewitt,
    "scharr": edges.scharr,
    "laplacian": edges.laplacian,
    "laplacian_of_gaussian": edges.laplacian_of_gaussian,
    "canny": edges.canny,
}

ENHANCERS: dict[str, Callable[..., Any]] = {
    "window": enhance.window,
    "equalize": enhance.equalize,
    "clahe": enhance.clahe,
    "z_score": enhance.z_score,
    "n4": enhance.n4,
}

CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "multi_otsu": segment.multi_otsu,
    "k_means": segment.k_means,
    "gaussian_mixture": segment.gaussian_mixture,
}

ANATOMY: dict[str, Callable[..., Any]] = {
    "body": segment.body,
    "lungs": segment.lungs,
}
