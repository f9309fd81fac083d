"""Features of filtered images: a filter in words, and the region on its response.

Re-segmentation looks at the image before the filter, as in the IBSI: what lies outside the range of intensities stays
outside, whatever the response there.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.features.roi import Roi, bounding_box
from radlake.imaging import FILTERS, RESPONSES

KNOWN: dict[str, Callable[..., Any]] = {
    "mean": FILTERS["mean"],
    "gaussian": FILTERS["gaussian"],
    "log": RESPONSES["laplacian_of_gaussian"],
    "laws": RESPONSES["laws"],
    "gabor": RESPONSES["gabor"],
    "wavelet": RESPONSES["wavelet"],
    "simoncelli": RESPONSES["simoncelli"],
    "riesz": RESPONSES["riesz"],
}
_NOT_GIVEN = ("image", "spacing", "channel_axis", "out_dtype")  # what the region decides


@dataclass(frozen=True)
class Filter:
    """A filter with its parameters, read from words such as "wavelet bands=LLH level=2".

    Parameters
    ----------
    text : str
        A name of `KNOWN`, then `key=value` for parameters of that function; tuples as "1,5,5".

    Raises
    ------
    ValueError
        For an unknown filter or parameter, or a value that the filter does not take.

    Examples
    --------
    >>> Filter("log sigma_mm=1.5").label
    'log-sigma_mm-1.5'
    """

    text: str
    name: str = field(init=False)
    options: tuple[tuple[str, Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        name, *words = self.text.split() or [""]
        if name not in KNOWN:
            raise ValueError(f"unknown filter {name!r}; known: {', '.join(KNOWN)}")
        known = [p for p in inspect.signature(KNOWN[name]).parameters if p not in _NOT_GIVEN]
        options = []
        for word in words:
            key, equals, value = word.partition("=")
            if key not in known or not equals:
                near = difflib.get_close_matches(key, known, n=1)
                advice = f"did you mean {near[0]}=...?" if near else f"known: {', '.join(known)}"
                raise ValueError(f"filter {name!r} has no parameter {key!r}; {advice}")
            options.append((key, _value(value)))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "options", tuple(options))
        if all(_refused(self, axes) for axes in (3, 2)):
            raise ValueError(f"filter {self.text!r}: {_refused(self, 3)}")

    @property
    def label(self) -> str:
        """What names of features begin with: the words, without spaces."""
        return "-".join([self.name, *(f"{key}-{_spelled(value)}" for key, value in self.options)])


def region_on(roi: Roi, chosen: Filter, responses: dict[Filter, Array] | None = None) -> Roi:
    """The region on the response of a filter to the whole image.

    Parameters
    ----------
    roi : Roi
        With its image; range and outliers are those of that image.
    chosen : Filter
    responses : dict, optional
        Responses to this image that are known already; the one that is made is added.

    Raises
    ------
    ItemError
        `not_finite` or `too_few_axes`, where the filter cannot take the image.
    ValueError
        When the roi has no image.

    Examples
    --------
    >>> from radlake.features.roi import region_of_interest
    >>> row = np.array([[0, 6, 0, 900]])
    >>> roi = region_of_interest(row, np.ones((1, 4), bool), intensity_range=(0, 100))
    >>> region_on(roi, Filter("mean size_vox=1,3")).values.tolist()
    [2.0, 2.0, 302.0]
    """
    if roi.surroundings is None:
        raise ValueError("features of filtered images need an image")
    known = {} if responses is None else responses
    if chosen not in known:
        known[chosen] = KNOWN[chosen.name](roi.surroundings, spacing=roi.spacing, **dict(chosen.options))
    response = known[chosen]
    mask = roi.intensity_mask()
    box = bounding_box(mask) if mask.any() else (slice(0, None),) * mask.ndim
    corner = tuple(c + edge.start for c, edge in zip(roi.corner, box, strict=True))
    whole = tuple(slice(c, c + n) for c, n in zip(corner, mask[box].shape, strict=True))
    return replace(
        roi,
        mask=mask[box],
        intensity=response[whole],
        intensity_range=None,
        outlier_sigma=None,
        surroundings=response,
        corner=corner,
    )


def _refused(chosen: Filter, axes: int) -> str:
    """Why a filter cannot take any image with so many axes; nothing where it can."""
    try:
        KNOWN[chosen.name](np.zeros((2,) * axes, np.float32), spacing=(1.0,) * axes, **dict(chosen.options))
    except (ValueError, ItemError) as problem:
        return str(problem)
    except TypeError:  # a text where a number belongs
        return "a parameter is of the wrong kind"
    return ""


def _value(text: str) -> Any:
    """A number, tuple, truth value or None as in Python, anything else as text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return tuple(value) if isinstance(value, list) else value


def _spelled(value: Any) -> str:
    """A value inside a name."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
