"""IBSI intensity histogram (family "histogram"): statistics of grey levels after discretisation, 23 numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import Term
from radlake.features.morphology import NO_INTENSITY
from radlake.features.names import HISTOGRAM
from radlake.features.roi import Roi, Values
from radlake.features.statistics import Sample, statistics

ONE_LEVEL = Term("there is one grey level only: a histogram of one bin has no gradient")


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
    discrete = roi.levels
    if discrete is None:
        return {f.name: NO_INTENSITY for f in HISTOGRAM}
    levels, count = discrete
    frequency = np.bincount(levels, minlength=count + 1)[1:]
    occupied = np.flatnonzero(frequency)
    plain = statistics(Sample(occupied + 1.0, frequency[occupied]))
    values = {name.replace("stat_", "ih_"): value for name, value in plain.items()}
    values |= _shape(frequency, float(levels.mean(dtype=np.float64)))
    return {f.name: values[f.name] for f in HISTOGRAM}


def _shape(frequency: NDArray[np.intp], mean: float) -> Values:
    """Mode, entropy, uniformity and gradients (3.4.10, 3.4.18 to 3.4.23) of counts of levels 1, 2, 3 ..."""
    p = frequency[frequency > 0] / frequency.sum()
    modes = np.flatnonzero(frequency == frequency.max()) + 1
    values: Values = {
        # Of several modes the one next to the mean, and of two as near the lower.
        "ih_mode": float(modes[np.argmin(np.abs(modes - mean))]),
        "ih_entropy": float(-(p * np.log2(p)).sum()) + 0.0,
        "ih_uniformity": float((p**2).sum()),
    }
    if len(frequency) < 2:
        return values | {f"ih_{which}_grad{g}": ONE_LEVEL for which in ("max", "min") for g in ("", "_g")}
    gradient = _gradient(frequency)
    for which, place in (("max", int(gradient.argmax())), ("min", int(gradient.argmin()))):
        values |= {f"ih_{which}_grad": float(gradient[place]), f"ih_{which}_grad_g": float(place + 1)}
    return values


def _gradient(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    """Half the difference of the two neighbours, at the ends the difference to the only one."""
    gradient = np.empty(len(counts))
    gradient[1:-1] = (counts[2:] - counts[:-2]) / 2
    gradient[0], gradient[-1] = counts[1] - counts[0], counts[-1] - counts[-2]
    return gradient
