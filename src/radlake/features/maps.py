"""Maps of a feature: its value in a window round every voxel of a region."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.features.discretise import Binning
from radlake.features.families import FAMILIES, family
from radlake.features.names import FEATURES, GLCM, STATISTICS
from radlake.features.presets import Options, settings_of
from radlake.features.roi import Roi, region_of_interest
from radlake.features.texture import ACROSS, IN_PLANE, Aggregation, aggregation_of
from radlake.imaging.arguments import Spacing

_CELLS = 1 << 22  # of the tables of some windows: 16 MiB
_WINDOWS = 1 << 14  # measured at a time
_PREFIXES = {
    "morph_moran": "autocorrelation", "morph_geary": "autocorrelation", "stat": "intensity", "ih": "histogram",
    "ivh": "ivh", "cm": "glcm", "rlm": "glrlm", "szm": "glszm", "dzm": "gldzm", "ngt": "ngtdm", "ngl": "ngldm",
}  # fmt: skip


class _Windows(NamedTuple):
    """A region whose windows are measured: padded volumes (z, y, x), reach along each axis, and what it came from."""

    mask: BoolArray
    image: NDArray[np.float64]
    levels: NDArray[np.uint16]
    grades: int
    reach: NDArray[np.int64]
    spacing: Spacing
    planar: bool


def feature_map(
    image: Image | Array,
    mask: Image | Array,
    name: str,
    *,
    radius_vox: int = 2,
    spacing: Sequence[float] | None = None,
    **options: Unpack[Options],
) -> Image | Array:
    """A feature's value in a window round each voxel of a region (float64), in the feature's unit; NaN elsewhere.

    A window is a cube (in a plane a square) of side 2 `radius_vox` + 1; only its voxels inside the region count. Grey
    levels are those of the whole region, so that windows are comparable. Where a window has no such feature (a single
    voxel has no pair), the map is NaN.

    Parameters
    ----------
    image : Image, (z, y, x) or (y, x) array
    mask : Image or array
        On the image's grid; non-zero is inside.
    name : str
        Of a family that needs the image: "stat_mean", "cm_contrast" (directions merged), "szm_sze", or with an
        aggregation, "rlm_sre_3D_avg". Statistics and merged co-occurrence are compiled; others take about a
        millisecond a voxel.
    radius_vox : int
        At least 1, in voxels.
    spacing : floats, optional
        For arrays: millimetres along each axis.
    options
        `bin_width`, `bin_count`, `intensity_range` and `outlier_sigma`, as for `radlake.features.extract`.

    Returns
    -------
    Image or array
        As `image`, of its spatial shape.

    Raises
    ------
    ItemError
        `empty_mask`, `misaligned_mask`, `not_finite`, `too_many_levels`.
    ValueError
        For a name without a map, a radius below 1, or an option that makes another grid.

    References
    ----------
    Haralick, Shanmugam, Dinstein (1973), IEEE Trans SMC 3:610-621 (texture of local windows); the features themselves
    as in IBSI arXiv:1612.07003.

    Examples
    --------
    >>> feature_map(np.array([[1.0, 2.0, 6.0]]), np.ones((1, 3), bool), "stat_mean", radius_vox=1).tolist()
    [[1.5, 3.0, 4.0]]
    """
    if radius_vox < 1:
        raise ValueError(f"radius_vox must be at least 1, got {radius_vox}")
    settings = settings_of(None, options)
    if settings.spacing_mm is not None or settings.aspects:
        raise ValueError("resample or filter the image first: a map lies on the grid of its image")
    roi = region_of_interest(image, mask, spacing=spacing, **settings.of_region)
    measure, needs_levels = _measure(name, roi.mask.ndim)
    windows = _windows(roi, radius_vox, levels=needs_levels)
    found = np.full(windows.mask.shape, np.nan)
    places = np.argwhere(windows.mask)
    for start in range(0, len(places), _WINDOWS):
        some = np.ascontiguousarray(places[start : start + _WINDOWS])
        found[tuple(some.T)] = measure(windows, some)
    return _placed(found, roi, windows.reach, image)


def _placed(found: NDArray[np.float64], roi: Roi, reach: NDArray[np.int64], image: Image | Array) -> Image | Array:
    """The map of the region's box in its place on the image's grid."""
    if roi.surroundings is None:
        raise ValueError("a map needs an image")
    inner = found[tuple(slice(r, n - r) for r, n in zip(reach, found.shape, strict=True))]
    whole = np.full(roi.surroundings.shape, np.nan)
    box = tuple(slice(c, c + n) for c, n in zip(roi.corner, roi.mask.shape, strict=True))
    whole[box] = inner.reshape(roi.mask.shape)
    if not isinstance(image, Image):
        return whole
    return image.with_array(
        whole, kind="other", unit="a.u.", channel_axis=None, time_axis=None, window=None, padding=None
    )


def _windows(roi: Roi, radius: int, *, levels: bool) -> _Windows:
    """Padded volumes of a region."""
    shape = (1, *roi.mask.shape)[-3:]
    planar = roi.mask.ndim == 2
    reach = np.array([0 if planar else radius, radius, radius])
    around = [(int(r), int(r)) for r in reach]
    inside = roi.intensity_mask().reshape(shape)
    if roi.intensity is None or not inside.any():
        raise ItemError("empty_mask")
    values = np.where(inside, roi.intensity.reshape(shape), 0).astype(np.float64)
    if not np.isfinite(values).all():
        raise ItemError("not_finite")
    texture = roi.texture if levels else None
    grid = np.zeros(shape, np.uint16) if texture is None else texture.levels[1:-1, 1:-1, 1:-1]
    spacing = (1.0, *roi.spacing)[-3:]
    return _Windows(
        np.pad(inside, around), np.pad(values, around), np.pad(grid, around), texture.count if texture else 0, reach,
        spacing, planar,
    )  # fmt: skip


_Measure = Callable[[_Windows, NDArray[np.int64]], NDArray[np.float64]]


def _measure(name: str, axes: int) -> tuple[_Measure, bool]:
    """How a feature is measured in windows, and whether it looks at grey levels."""
    aggregation = aggregation_of(name)
    base = name.removesuffix(f"_{aggregation}")
    known = next((f for prefix, f in _PREFIXES.items() if base.startswith(f"{prefix}_")), None)
    merged: Aggregation = "3D_comb" if axes == 3 else "2D_comb"
    full = name if known is None or not FAMILIES[known].texture else f"{base}_{aggregation or merged}"
    if full not in FEATURES and aggregation is None:  # families without directions
        full = f"{base}_{merged[:2]}"
    if known is None or full not in FEATURES:
        maps = ", ".join(dict.fromkeys(f"{prefix}_*" for prefix in _PREFIXES))
        raise ValueError(f"there is no map of {name!r}; there are of: {maps}")
    if known == "intensity":
        return lambda windows, places: _statistics(windows, places, base), False
    if known == "glcm" and full.endswith(merged):
        return lambda windows, places: _cooccurrence(windows, places, base), True
    return lambda windows, places: _one_by_one(windows, places, known, full), FAMILIES[
        known
    ].texture or known == "histogram"


def _statistics(windows: _Windows, places: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """A statistic of the values in each window."""
    from radlake.features import map_kernels

    table = map_kernels.window_statistics(windows.image, windows.mask, places, windows.reach)
    return np.asarray(table[:, [f.name for f in STATISTICS].index(name)])


def _cooccurrence(windows: _Windows, places: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """A co-occurrence feature of the grey levels in each window, directions merged."""
    from radlake.features import map_kernels, table_kernels

    offsets = np.array(IN_PLANE if windows.planar else (*IN_PLANE, *ACROSS), np.int64)
    column = [f.name for f in GLCM].index(name)
    step = max(1, _CELLS // windows.grades**2)
    found = np.empty(len(places))
    for start in range(0, len(places), step):
        some = np.ascontiguousarray(places[start : start + step])
        pairs = map_kernels.window_pairs(windows.levels, some, offsets, windows.reach, windows.grades)
        found[start : start + step] = table_kernels.cooccurrences(pairs)[:, column]
    return found


def _one_by_one(windows: _Windows, places: NDArray[np.int64], known: str, full: str) -> NDArray[np.float64]:
    """Any feature of each window, through the family's own function."""
    entry = family(known)
    found = np.full(len(places), np.nan)
    for k, roi in enumerate(_rois(windows, places, graded=entry.texture or known == "histogram")):
        options = {"aggregations": (_asked(full),)} if entry.texture else {}
        value = entry.function(roi, **options)[full]
        if not isinstance(value, Term):
            found[k] = value
    return found


def _asked(full: str) -> Aggregation:
    """An aggregation under which a family gives the feature of that name."""
    suffix = aggregation_of(full) or "3D"
    return suffix if suffix.endswith(("avg", "comb")) else f"{suffix}_comb"  # type: ignore[return-value]


def _rois(windows: _Windows, places: NDArray[np.int64], *, graded: bool) -> Iterator[Roi]:
    """The part of the region in each window, its grey levels in place of intensities where these are asked for."""
    source = windows.levels if graded else windows.image
    drop = 0 if windows.planar else slice(None)
    for place in places:
        box = tuple(slice(p - r, p + r + 1) for p, r in zip(place, windows.reach, strict=True))
        spacing = windows.spacing[1:] if windows.planar else windows.spacing
        # Levels from 1 in bins of width 1 are themselves.
        limits = (1.0, float(windows.grades)) if graded else None
        yield Roi(
            windows.mask[box][drop], spacing, source[box][drop], intensity_range=limits,
            binning=Binning(bin_width=1) if graded else Binning(),
        )  # fmt: skip
