"""Contrast: windows, histogram equalisation, and intensities made comparable (`normalise`, `standard_scale`).

These are the operations that change intensities on purpose.
"""

from radlake.imaging.enhance.histograms import clahe, equalize
from radlake.imaging.enhance.normalise import match_histogram, n4, z_score
from radlake.imaging.enhance.standard_scale import Landmarks, apply_nyul, fit_nyul, nyul
from radlake.imaging.enhance.windows import window

__all__ = [
    "Landmarks",
    "apply_nyul",
    "clahe",
    "equalize",
    "fit_nyul",
    "match_histogram",
    "n4",
    "nyul",
    "window",
    "z_score",
]
