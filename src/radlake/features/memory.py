"""What measuring an image takes at most: working memory of the steps of this room, from their parameters.

Rates are bytes a sample of the image, measured as the growth of a process's peak; the filters work on the whole image,
the families on the box of a region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any

from radlake.core.stage import Row
from radlake.features.filtered import Filter
from radlake.features.presets import PRESETS
from radlake.features.pyradiomics_settings import parameters_of

_FAMILIES = 6.0
_MOVED = 95.0  # maps of distance to a mask that is changed, before it is measured by
_CHANGED = 6.0  # the changed mask
_PYRADIOMICS = 30.0
_RESAMPLED = 12.0
_RESPONSE = 4.0  # of the filter before, which its region still holds
_FILTERS = {
    "mean": 7.0, "gaussian": 10.0, "log": 17.0, "laws": 30.0, "gabor": 26.0, "wavelet": 30.0, "simoncelli": 120.0,
    "riesz": 150.0,
}  # fmt: skip
_IMAGE_TYPES = {"Wavelet": 101.0, "LoG": 21.0, "Gradient": 13.0, "LBP2D": 21.0}
_POWERS = 35.0  # Square, SquareRoot, Logarithm, Exponential
_NORMALISED = 27.0


def features_bytes(parameters: Mapping[str, Any], image: Row) -> float:
    """Bytes that the step `features` takes for an image besides the image itself.

    Parameters
    ----------
    parameters : mapping
        Of the step.
    image : Row
        Row of `images`.

    Examples
    --------
    >>> ct = {"rows": 100, "columns": 100, "slices": 100}
    >>> features_bytes({}, ct), features_bytes({"filters": ("riesz order=1,0,0 sigma_mm=2",)}, ct)
    (6000000.0, 160000000.0)
    """
    preset = PRESETS.get(parameters.get("preset") or "")
    target = parameters.get("spacing_mm") or (preset.spacing_mm if preset else None)
    names = [Filter(text).name for text in parameters.get("filters") or ()]
    rate = _FAMILIES + max([_FILTERS[name] + _RESPONSE for name in names], default=0.0)
    finer = _finer(image, tuple(target or ()))
    return _samples(image) * finer * (rate + (_RESAMPLED if target else 0.0))


def perturbed_bytes(parameters: Mapping[str, Any], image: Row) -> float:
    """Bytes that the step `features.perturbed` takes for an image; as `features_bytes`."""
    return _perturbed(features_bytes(parameters, image), image)


def pyradiomics_bytes(parameters: Mapping[str, Any], image: Row) -> float:
    """Bytes that the step `features.pyradiomics` takes for an image; as `features_bytes`."""
    chosen = parameters_of(json.loads(parameters.get("parameters", "{}")))
    rates = [_IMAGE_TYPES.get(name, _POWERS) for name, _ in chosen.imageTypes if name != "Original"]
    finer = _finer(image, tuple(reversed(chosen.resampledPixelSpacing or ())))
    rate = max([_PYRADIOMICS, *rates]) + (_NORMALISED if chosen.normalize else 0)
    return _samples(image) * rate * finer


def perturbed_pyradiomics_bytes(parameters: Mapping[str, Any], image: Row) -> float:
    """Bytes that the step `features.pyradiomics_perturbed` takes for an image; as `features_bytes`."""
    return _perturbed(pyradiomics_bytes(parameters, image), image)


def _perturbed(measuring: float, image: Row) -> float:
    """Bytes of measuring an image by changed masks: each is changed first."""
    samples = _samples(image)
    return max(samples * _MOVED, measuring + samples * _CHANGED)


def _finer(image: Row, target: tuple[float, ...]) -> float:
    """How many times as many samples an image has after resampling to a spacing (z, y, x) in mm; 0 leaves an axis."""
    now = [image.get(f"spacing_{axis}") for axis in ("z", "y", "x")]
    return float(prod(n / t for n, t in zip(now[len(now) - len(target) :], target, strict=True) if n and t))


def _samples(image: Row) -> int:
    """Samples of one time point and channel."""
    return prod(image.get(axis) or 1 for axis in ("rows", "columns", "slices"))
