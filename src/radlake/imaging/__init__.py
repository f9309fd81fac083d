"""Pure functions on images: filters, edges, enhancement, morphology, segmentation, geometry, display.

Images and plain arrays go in, the same come out. `FILTERS`, `RESPONSES`, `EDGES`, `ENHANCERS`, `MORPHOLOGY`,
`MASK_OPERATIONS`, `SEGMENTERS`, `CLASSIFIERS` and `ANATOMY` list what pipelines and the command line can name; every
entry is tested by the contract battery. Heavy libraries load at the first call. `with threads(2):` lets kernels use two
threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from radlake.imaging import (
    bandpass,
    canny,
    denoise,
    edges,
    enhance,
    filters,
    gabor,
    laws,
    masks,
    morphology,
    normalise,
    segment,
    segment_body,
    segment_thresholds,
    segment_tissue,
    wavelets,
)
from radlake.imaging.kernels.threads import threads

__all__ = [
    "ANATOMY",
    "CLASSIFIERS",
    "EDGES",
    "ENHANCERS",
    "FILTERS",
    "MASK_OPERATIONS",
    "MORPHOLOGY",
    "RESPONSES",
    "SEGMENTERS",
    "threads",
]

FILTERS: dict[str, Callable[..., Any]] = {
    "gaussian": filters.gaussian,
    "mean": filters.mean,
    "median": filters.median,
    "unsharp": filters.unsharp,
    "bilateral": denoise.bilateral,
    "non_local_means": denoise.non_local_means,
    "anisotropic_diffusion": denoise.anisotropic_diffusion,
}

RESPONSES: dict[str, Callable[..., Any]] = {
    "laplacian_of_gaussian": bandpass.laplacian_of_gaussian,
    "laws": laws.laws,
    "gabor": gabor.gabor,
    "wavelet": wavelets.wavelet,
    "simoncelli": bandpass.simoncelli,
    "riesz": bandpass.riesz,
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
    "li": segment_thresholds.li,
    "triangle": segment_thresholds.triangle,
}

EDGES: dict[str, Callable[..., Any]] = {
    "gradient": edges.gradient_magnitude,
    "sobel": edges.sobel,
    "prewitt": edges.prewitt,
    "scharr": edges.scharr,
    "laplacian": edges.laplacian,
    "laplacian_of_gaussian": edges.laplacian_of_gaussian,
    "canny": canny.canny,
}

ENHANCERS: dict[str, Callable[..., Any]] = {
    "equalize": enhance.equalize,
    "clahe": enhance.clahe,
    "z_score": normalise.z_score,
    "n4": normalise.n4,
}

CLASSIFIERS: dict[str, Callable[..., Any]] = {
    "multi_otsu": segment_thresholds.multi_otsu,
    "k_means": segment_tissue.k_means,
    "gaussian_mixture": segment_tissue.gaussian_mixture,
}

ANATOMY: dict[str, Callable[..., Any]] = {
    "body": segment_body.body,
    "lungs": segment_body.lungs,
}
