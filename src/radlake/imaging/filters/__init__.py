"""Filters: smoothing and sharpening (`smooth`), smoothing that keeps edges, and the filters of IBSI 2.

The last two are modules of the room: `denoise`; `bandpass`, `gabor`, `laws`, `wavelets`.
"""

from radlake.imaging.bandpass import laplacian_of_gaussian, riesz, simoncelli
from radlake.imaging.denoise import anisotropic_diffusion, bilateral, non_local_means
from radlake.imaging.filters.smooth import gaussian, mean, median, unsharp
from radlake.imaging.gabor import gabor
from radlake.imaging.laws import laws
from radlake.imaging.wavelets import wavelet

__all__ = [
    "anisotropic_diffusion",
    "bilateral",
    "gabor",
    "gaussian",
    "laplacian_of_gaussian",
    "laws",
    "mean",
    "median",
    "non_local_means",
    "riesz",
    "simoncelli",
    "unsharp",
    "wavelet",
]
