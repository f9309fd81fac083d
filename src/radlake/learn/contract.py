"""What inputs a model of features accepts, and how far a case lies from those it was trained on.

A contract is plain JSON: what was seen in training. `refuse` stops what cannot be answered (other modality, features
that are not there); `outside` flags single cases that can be answered but are unlike the training cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.cases import RANGES, Cohort
from radlake.learn.problem import Bools, Floats

_MARGIN = 0.1  # of the range seen in training: as far beyond it nothing is said
_RARE = 0.99  # share of the training cases that are nearer to the middle than a case that is flagged
_SPACING = 0.25  # relative difference of pixel size, or of extent, that changes texture and shape


class OutsideContract(UsageError):  # noqa: N818 - names the problem
    """The input is not of the kind that the model was trained on."""


@dataclass(frozen=True, eq=False)
class Judged:
    """How far cases lie from the training cases.

    Parameters
    ----------
    outside : (N,) bool array
    reasons : tuple of N str
        Empty where the case is inside.
    """

    outside: Bools
    reasons: tuple[str, ...]


def contract(cohort: Cohort) -> dict[str, Any]:
    """What the training cases were like.

    Parameters
    ----------
    cohort : Cohort
        Training cases only.
    """
    known = cohort.features
    low, high = _extremes(known)
    filled = np.where(np.isnan(known), np.nan_to_num(middles(known)), known)
    middle, spread, axes = _shape(filled)
    distance = np.sort(_distance(filled, middle, spread, axes))
    return {
        "kind": "table",
        "unit": cohort.unit,
        "features": {
            name: {"unit": cohort.units.get(name), "low": _plain(a), "high": _plain(b), "middle": _plain(m)}
            for name, a, b, m in zip(cohort.names, low, high, middles(known), strict=True)
        },
        **origin(cohort),
        "centre": middle.tolist(),
        "scale": spread.tolist(),
        "axes": axes.tolist(),
        "far": float(distance[int(_RARE * (len(distance) - 1))]),
    }


def origin(cohort: Cohort) -> dict[str, Any]:
    """Modalities of the training cases, and the range of their pixel sizes, as far as they are known."""
    known = cohort.attributes
    return {
        "modalities": sorted({str(v) for v in known.get("modality", []) if v is not None}),
        "spacing": {name: _span(known[name]) for name in RANGES if name in known and _span(known[name])},
    }


def _extremes(features: Floats) -> tuple[Floats, Floats]:
    """Least and greatest value of each feature; NaN without any."""
    known = ~np.isnan(features)
    low = np.where(known, features, np.inf).min(axis=0)
    high = np.where(known, features, -np.inf).max(axis=0)
    none = ~known.any(axis=0)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def middles(features: Floats) -> Floats:
    """Median of each feature; NaN without any value."""
    return np.array([np.median(c[~np.isnan(c)]) if (~np.isnan(c)).any() else np.nan for c in features.T])


def _shape(filled: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation, and inverse of the shrunk correlation matrix.

    References
    ----------
    Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, Journal of
    Multivariate Analysis 88, 365-411.
    """
    from sklearn.covariance import ledoit_wolf

    middle, spread = filled.mean(axis=0), filled.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    covariance = np.asarray(ledoit_wolf((filled - middle) / spread)[0])
    return middle, spread, np.linalg.pinv(covariance)


def _distance(filled: Floats, middle: Floats, spread: Floats, axes: Floats) -> Floats:
    """Mahalanobis distance from the middle."""
    z = (filled - middle) / spread
    found: Floats = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", z, axes, z), 0.0))
    return found


def _span(values: Any) -> list[float]:
    """Least and greatest of what is known; empty when nothing is."""
    known = [float(v) for v in values if v is not None]
    return [min(known), max(known)] if known else []


def _plain(value: float) -> float | None:
    """A number that JSON knows."""
    return None if np.isnan(value) else float(value)


def refuse(given: Mapping[str, Any], cohort: Cohort) -> None:
    """Stop when a cohort is of another kind than the training cases.

    Raises
    ------
    OutsideContract
        For other units, modalities, or features that were never measured.
    """
    if cohort.unit != given["unit"]:
        raise OutsideContract(f"the model answers for one {given['unit']} at a time, and was given {cohort.unit}s")
    seen = set(given["modalities"])
    came = {str(v) for v in cohort.attributes.get("modality", []) if v is not None}
    if seen and came and not came & seen:
        raise OutsideContract(
            f"the model was trained on {', '.join(sorted(seen))}, and was given {', '.join(sorted(came))} only"
        )
    cohort.columns(tuple(given["features"]))


def outside(given: Mapping[str, Any], cohort: Cohort) -> Judged:
    """Flag cases that are unlike the training cases, each with the first reason.

    Parameters
    ----------
    given : mapping
        From `contract`.
    cohort : Cohort
        That `refuse` let pass.
    """
    names = tuple(given["features"])
    values = cohort.columns(names)
    reasons = [""] * len(values)
    for found in (
        _other_origin(given, cohort),
        _beyond(given, names, values),
        _far(given, names, values),
    ):
        reasons = [old or new for old, new in zip(reasons, found, strict=True)]
    return Judged(np.array([bool(r) for r in reasons]), tuple(reasons))


def unlike(given: Mapping[str, Any], cohort: Cohort) -> Judged:
    """Flag pictures of another modality, pixel size, extent or range than those of training, each with one reason.

    Other axes or channels are refused by the model itself.

    Parameters
    ----------
    given : mapping
        Of a model of images.
    cohort : Cohort
        Of pictures.
    """
    reasons = [""] * len(cohort.ids)
    for found in (
        _other_origin({"modalities": (), "spacing": {}, **given}, cohort),
        [_other_extent(given, picture) for picture in cohort.features],
        [_other_range(given, picture) for picture in cohort.features],
    ):
        reasons = [old or new for old, new in zip(reasons, found, strict=True)]
    return Judged(np.array([bool(r) for r in reasons]), tuple(reasons))


def _other_extent(given: Mapping[str, Any], picture: NDArray[Any]) -> str:
    """Many more or fewer pixels along an axis: details were resampled away, or never there."""
    size = picture.shape[: len(given["smallest"])]
    low, high = np.array(given["smallest"]) * (1 - _SPACING), np.array(given["largest"]) * (1 + _SPACING)
    if ((low <= size) & (size <= high)).all():
        return ""
    ends = [" x ".join(map(str, given[end])) for end in ("smallest", "largest")]
    return f"{' x '.join(map(str, size))} pixels, trained on {' to '.join(dict.fromkeys(ends))}"


def _other_range(given: Mapping[str, Any], picture: NDArray[Any]) -> str:
    """Intensities beyond those of training."""
    room = _MARGIN * (given["high"] - given["low"])
    low, high = float(np.min(picture)), float(np.max(picture))
    if given["low"] - room <= low and high <= given["high"] + room:
        return ""
    return f"intensities from {low:.4g} to {high:.4g}, trained on {given['low']:.4g} to {given['high']:.4g}"


def _other_origin(given: Mapping[str, Any], cohort: Cohort) -> Sequence[str]:
    """Other modality, or pixels of another size."""
    count, seen = len(cohort.ids), set(given["modalities"])
    reasons = [""] * count
    modality = cohort.attributes.get("modality", np.full(count, None))
    for i, value in enumerate(modality.tolist()):
        if seen and value is not None and str(value) not in seen:
            reasons[i] = f"modality {value}, trained on {', '.join(sorted(seen))}"
    for name, (low, high) in given["spacing"].items():
        values = cohort.attributes.get(name, np.full(count, None))
        for i, value in enumerate(values.tolist()):
            if value is not None and not low * (1 - _SPACING) <= value <= high * (1 + _SPACING) and not reasons[i]:
                reasons[i] = f"{name} of {value:.3g} mm, trained on {low:.3g} to {high:.3g} mm"
    return reasons


def _beyond(given: Mapping[str, Any], names: Sequence[str], values: Floats) -> Sequence[str]:
    """Features far beyond the range of the training cases."""
    low = np.array([np.nan if given["features"][n]["low"] is None else given["features"][n]["low"] for n in names])
    high = np.array([np.nan if given["features"][n]["high"] is None else given["features"][n]["high"] for n in names])
    room = _MARGIN * (high - low)
    gone = (values < low - room) | (values > high + room)
    return [
        f"{names[int(np.argmax(row))]} is beyond what was seen in training"
        + (f", and {int(row.sum()) - 1} more features" if row.sum() > 1 else "")
        if row.any()
        else ""
        for row in gone
    ]


def _far(given: Mapping[str, Any], names: Sequence[str], values: Floats) -> Sequence[str]:
    """Combinations of features that the training cases do not have."""
    middle = np.array([given["features"][n]["middle"] or 0.0 for n in names])
    filled = np.where(np.isnan(values), middle, values)
    distance = _distance(filled, np.array(given["centre"]), np.array(given["scale"]), np.array(given["axes"]))
    reasons = ["features in a combination that was not seen in training" if d > given["far"] else "" for d in distance]
    missing = np.isnan(values).mean(axis=1)
    return [
        f"{share:.0%} of the features are missing" if share > 0.5 else reason
        for share, reason in zip(missing, reasons, strict=True)
    ]
