"""IBSI intensity-based statistics (family "intensity"): 18 numbers on the values inside a region."""

from __future__ import annotations

from radlake.core.fault import Term
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import STATISTICS
from radlake.features.roi import Roi, Values
from radlake.features.sample import Sample

ZERO_MEAN = Term("the mean is zero")
NO_MIDDLE = Term("no value lies between the 10th and the 90th percentile")
ZERO_QUARTILES = Term("the quartiles sum to zero")

_NAMES = tuple(f.name for f in STATISTICS)
_MISSING = {"stat_rmad": NO_MIDDLE, "stat_cov": ZERO_MEAN, "stat_qcod": ZERO_QUARTILES}


def intensity(roi: Roi) -> Values:
    """Intensity statistics of a region by name, in the unit of the image (variance and energy: its square).

    Computed on the intensity mask, without discretisation.

    Parameters
    ----------
    roi : Roi
        With intensities.

    Raises
    ------
    ItemError
        `not_finite` when a value inside is NaN or infinite.
    ValueError
        When the roi has no intensities.

    References
    ----------
    Zwanenburg et al. (2020), arXiv:1612.07003, chapter 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[1, 2, 3, 4]], np.int16)
    >>> intensity(Roi(values > 0, (1.0, 1.0), values))["stat_var"]
    1.25
    """
    if roi.intensity is None:
        raise ValueError("the intensity statistics need an image")
    if roi.sample is None:
        return dict.fromkeys(_NAMES, NO_INTENSITY)
    return statistics(roi.sample)


def statistics(values: Sample) -> Values:
    """The 18 statistics of IBSI 3.3 by name; values in the unit of the image.

    Skewness and kurtosis of equal values are 0, as IBSI asks.

    Examples
    --------
    >>> import numpy as np
    >>> from radlake.features.sample import sample
    >>> statistics(sample(np.array([1, 1, 4])))["stat_mad"]
    1.3333333333333333
    """
    from radlake.features import value_kernels

    found: Values = dict(zip(_NAMES, value_kernels.statistics(*values).tolist(), strict=True))
    for name, why in _MISSING.items():
        if found[name] != found[name]:  # NaN
            found[name] = why
    return found
