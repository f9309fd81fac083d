"""IBSI intensity histogram (family "histogram"): statistics of grey levels after discretisation, 23 numbers."""

from __future__ import annotations

import numpy as np

from radlake.core.fault import Term
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import HISTOGRAM
from radlake.features.roi import Roi, Values
from radlake.features.sample import Sample
from radlake.features.statistics import statistics

ONE_LEVEL = Term("there is one grey level only: a histogram of one bin has no gradient")
_NAMES = tuple(f.name for f in HISTOGRAM)
_GRADIENTS = ("ih_max_grad", "ih_max_grad_g", "ih_min_grad", "ih_min_grad_g")


def intensity_histogram(roi: Roi) -> Values:
    """Intensity histogram features by name, in grey levels (without unit).

    Parameters
    ----------
    roi : Roi
        With intensities; `binning` says how they become levels.

    References
    ----------
    IBSI arXiv:1612.07003, 3.4.

    Examples
    --------
    >>> image = np.array([[1, 1, 2, 4]])
    >>> values = intensity_histogram(Roi(image > 0, (1.0, 1.0), image))
    >>> values["ih_mode"], values["ih_max"], values["ih_entropy"]
    (1.0, 32.0, 1.5)
    """
    from radlake.features import value_kernels

    frequency = roi.frequency
    if frequency is None:
        return dict.fromkeys(_NAMES, NO_INTENSITY)
    occupied = np.flatnonzero(frequency)
    plain = statistics(Sample(occupied + 1.0, frequency[occupied]))
    values = {name.replace("stat_", "ih_"): value for name, value in plain.items()}
    shape = value_kernels.histogram(frequency).tolist()
    values |= zip(("ih_mode", "ih_entropy", "ih_uniformity", *_GRADIENTS), shape, strict=True)
    if len(frequency) < 2:
        values |= dict.fromkeys(_GRADIENTS, ONE_LEVEL)
    return {name: values[name] for name in _NAMES}
