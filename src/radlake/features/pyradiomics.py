"""Features under PyRadiomics' names, settings and definitions, from the same passes over the image as IBSI's.

PyRadiomics differs from IBSI in names, in where bins of one width begin (a multiple of the width), in kurtosis (not the
excess), axis lengths (divided by n) and what it averages over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, BoolArray, Image
from radlake.features import pyradiomics_distances as far
from radlake.features import pyradiomics_tables as tables
from radlake.features.discretise import Binning, discretise
from radlake.features.hull import convex_hull, largest_distance
from radlake.features.mesh import mesh_area_volume
from radlake.features.moments import axis_lengths, moments
from radlake.features.morphology import ONE_VOXEL
from radlake.features.names import Feature
from radlake.features.pyradiomics_images import placed, responses
from radlake.features.pyradiomics_settings import (
    CLASSES,
    FIRST_ORDER,
    GLCM,
    GLDM,
    GLRLM,
    GLSZM,
    NGTDM,
    POWERS,
    Parameters,
)
from radlake.features.roi import Roi, Values, bounding_box, framed, roi_in
from radlake.features.sample import sample
from radlake.features.statistics import statistics
from radlake.features.texture import NO_VALUE, Texture, in_place
from radlake.imaging.arguments import Spacing


def execute(
    image: Image | Array,
    mask: Image | Array,
    parameters: Parameters | None = None,
    *,
    spacing: Sequence[float] | None = None,
) -> Values:
    """Features of a region by PyRadiomics' names, such as ``original_glcm_Contrast``; a Term where there is no value.

    Parameters
    ----------
    image : Image or (z, y, x) array
        Intensities in any unit.
    mask : Image or array
        On the image's grid; voxels of the value `parameters.label` are inside, of a bool mask the True ones.
    parameters : Parameters, optional
        PyRadiomics' defaults without.
    spacing : (z, y, x), optional
        Millimetres, for arrays.

    Raises
    ------
    ItemError
        `empty_mask`, `misaligned_mask`, `not_finite`, `too_many_levels`.

    References
    ----------
    van Griethuysen et al. (2017), Computational radiomics system to decode the radiographic phenotype, Cancer Res
    77:e104-e107; definitions as in its documentation.

    Examples
    --------
    >>> image = np.arange(27.0).reshape(3, 3, 3)
    >>> execute(image, np.ones((3, 3, 3), bool), Parameters(binWidth=5))["original_firstorder_Mean"]
    13.0
    """
    chosen = parameters or Parameters()
    frame = framed(image, mask, spacing)
    if frame.mask.ndim != 3 or frame.values is None:
        raise ItemError("unsupported_format", format=Term("a plane with PyRadiomics' settings"))
    inside = frame.mask if frame.mask.dtype == np.bool_ else frame.mask == chosen.label
    here = placed(_normalised(frame.values, chosen), inside, frame.spacing, chosen)
    box = bounding_box(here.inside)
    roi = roi_in(frame._replace(values=here.values, spacing=here.spacing), here.inside[box], box)
    counted = _resegmented(roi, chosen)
    values: Values = {}
    shaped = dict(chosen.classes).get("shape")
    if shaped is not None:
        found = _shape(counted if chosen.resegmentShape else roi, chosen)
        values |= {f"original_shape_{n}": found[n] for n in shaped or CLASSES["shape"]}
    for prefix, response, own in responses(here.values, here.spacing, chosen):
        seen = _seen(counted, response)
        for name, wanted in chosen.classes:
            if name != "shape":
                found = _FUNCTIONS[name](seen, own)
                values |= {f"{prefix}_{name}_{n}": found[n] for n in wanted or CLASSES[name]}
    return values


def _seen(roi: Roi, response: Array) -> Roi:
    """A region on a response to the whole image."""
    box = tuple(slice(c, c + n) for c, n in zip(roi.corner, roi.mask.shape, strict=True))
    return replace(roi, intensity=response[box], surroundings=response)


def rows(
    image: Image | Array,
    mask: Image | Array,
    parameters: Parameters | None = None,
    *,
    spacing: Sequence[float] | None = None,
) -> list[dict[str, Any]]:
    """Features of a region as rows of a table like those of `radlake.features.extract`, settings included.

    Parameters
    ----------
    image, mask, parameters, spacing
        As for `execute`.
    """
    chosen = parameters or Parameters()
    frame = framed(image, mask, spacing)
    found = []
    for tag, value in execute(image, mask, chosen, spacing=spacing).items():
        prefix, family, name = tag.split("_", 2)
        # A scaled or filtered image has no unit of its own any more.
        image_unit = frame.unit if prefix == "original" and not chosen.normalize else "a.u."
        length, intensity = POWERS.get(family, {}).get(name, (0, 0))
        found.append(
            {
                "family": family,
                "aggregation": None,
                "code": None,
                "name": tag,
                "value": None if isinstance(value, Term) else float(value),
                "unit": Feature(tag, None, name, length, intensity).unit(image_unit, calibrated=frame.calibrated),
                "reason": str(value) if isinstance(value, Term) else None,
                "settings_id": chosen.identity,
            }
        )
    return found


def _normalised(values: Array, parameters: Parameters) -> Array:
    """Whole image to mean 0 and a standard deviation, outliers cut."""
    if not parameters.normalize:
        return values
    exact = values.astype(np.float64)
    exact = (exact - exact.mean()) / exact.std(ddof=1)
    if parameters.removeOutliers is not None:
        exact = np.clip(exact, -parameters.removeOutliers, parameters.removeOutliers)
    return np.asarray(exact * parameters.normalizeScale)


def _resegmented(roi: Roi, parameters: Parameters) -> Roi:
    """The region without voxels outside the range."""
    if parameters.resegmentRange is None or roi.intensity is None:
        return roi
    inside = roi.intensity[roi.mask].astype(np.float64)
    bounds = np.array(parameters.resegmentRange)
    if parameters.resegmentMode == "relative":
        bounds = bounds * inside.max()
    elif parameters.resegmentMode == "sigma":
        bounds = inside.mean() + bounds * inside.std()
    kept = roi.mask & (roi.intensity >= bounds[0])
    if len(bounds) > 1:
        kept &= roi.intensity <= bounds[1]
    box = bounding_box(kept)
    corner = tuple(c + edge.start for c, edge in zip(roi.corner, box, strict=True))
    return replace(roi, mask=kept[box], intensity=roi.intensity[box], corner=corner)


def _levels(roi: Roi, parameters: Parameters) -> tuple[NDArray[np.uint16], int]:
    """Grey levels: bins of one width begin at a multiple of it, a number of bins at the least value."""
    values = roi.values
    if parameters.binCount is None:
        low = float(np.floor(float(values.min()) / parameters.binWidth) * parameters.binWidth)
        return discretise(values, Binning(bin_width=parameters.binWidth), low=low)
    exact = values.astype(np.float64)
    if not np.isfinite(exact).all():
        raise ItemError("not_finite")
    edges = np.linspace(exact.min(), exact.max(), parameters.binCount + 1)
    if exact.min() == exact.max():  # as numpy's histogram of equal values
        edges = np.linspace(exact.min() - 0.5, exact.max() + 0.5, parameters.binCount + 1)
    levels = np.minimum(np.digitize(exact, edges), parameters.binCount).astype(np.uint16)
    return levels, int(levels.max())


def _texture(roi: Roi, parameters: Parameters) -> Texture:
    """Grey levels in place; planes lie across the first axis."""
    levels, count = _levels(roi, parameters)
    grid = in_place(roi.mask, levels)
    if not parameters.force2D:
        return Texture(grid, count, roi.mask)
    axis = parameters.force2Ddimension
    return Texture(np.ascontiguousarray(np.moveaxis(grid, axis, 0)), count, np.moveaxis(roi.mask, axis, 0))


def _first_order(roi: Roi, parameters: Parameters) -> Values:
    """First-order statistics."""
    known = statistics(sample(roi.values))
    shifted = roi.values.astype(np.float64) + parameters.voxelArrayShift
    energy = float(shifted @ shifted)
    levels, _ = _levels(roi, parameters)
    counts = np.bincount(levels)
    p = counts[counts > 0] / levels.size
    kurtosis = known["stat_kurt"]
    return {
        **{name: known[tag] for name, tag in FIRST_ORDER.items()},
        "Energy": energy,
        "TotalEnergy": energy * float(np.prod(roi.spacing)),
        "RootMeanSquared": float(np.sqrt(energy / levels.size)),
        "Entropy": float(-(p * np.log2(p)).sum()) + 0.0,
        "Uniformity": float((p**2).sum()),
        # PyRadiomics gives a region of equal values the kurtosis 0, others the fourth moment itself.
        "Kurtosis": float(kurtosis) + 3 if known["stat_var"] else 0.0,
    }


def _shape(roi: Roi, _: Parameters) -> Values:
    """Shape of the mesh and of the voxels' positions."""
    area, volume = mesh_area_volume(roi.mask, roi.spacing)
    place = moments(roi.mask, roi.spacing)
    share = np.sqrt((place.voxels - 1) / place.voxels)  # divided by n, not n - 1
    major, minor, least = (length * share for length in axis_lengths(place.covariance))
    slices, columns, rows_ = (_widest_plane(roi.mask, roi.spacing, axis) for axis in range(3))
    return {
        "MeshVolume": volume,
        "VoxelVolume": place.voxels * float(np.prod(roi.spacing)),
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Sphericity": (36 * np.pi * volume**2) ** (1 / 3) / area,
        "Maximum3DDiameter": largest_distance(convex_hull(roi.mask, roi.spacing).vertices),
        "Maximum2DDiameterSlice": slices,
        "Maximum2DDiameterColumn": columns,
        "Maximum2DDiameterRow": rows_,
        "MajorAxisLength": major,
        "MinorAxisLength": minor,
        "LeastAxisLength": least,
        "Elongation": minor / major if major else ONE_VOXEL,
        "Flatness": least / major if major else ONE_VOXEL,
    }


def _widest_plane(mask: BoolArray, spacing: Spacing, axis: int) -> float:
    """Greatest distance (mm) of two vertices of the mesh that lie in one plane across an axis."""
    import cv2

    planes = np.pad(np.moveaxis(mask, axis, 0), ((1, 1), (0, 0), (0, 0)))
    rest = np.array([s for a, s in enumerate(spacing) if a != axis])
    widest = 0.0
    for before, here in pairwise(planes):
        between = np.argwhere(before ^ here).astype(np.int32)  # vertices halfway to the plane before
        if len(between):
            corners = cv2.convexHull(between).reshape(-1, 2)
            widest = max(widest, largest_distance(corners * rest))
        if here.any():
            widest = max(widest, largest_distance(convex_hull(here, tuple(rest)).vertices))
    return widest


def _averaged(table: NDArray[np.float64], places: Mapping[str, int]) -> Values:
    """Mean over directions of each measure; a Term where no direction has a value."""
    known = ~np.isnan(table)
    means = np.where(known, table, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return {name: float(means[k]) if known[:, k].any() else NO_VALUE for name, k in places.items()}


def _lengths(steps: Sequence[far.Offset], roi: Roi, parameters: Parameters) -> NDArray[np.float64]:
    """Of steps along the axes of `_texture`, by the norm that is set."""
    axis = parameters.force2Ddimension if parameters.force2D else 0
    spacing = (roi.spacing[axis], *np.delete(roi.spacing, axis).tolist())
    return tables.lengths(steps, spacing, str(parameters.weightingNorm))


def _glcm(roi: Roi, parameters: Parameters) -> Values:
    """Co-occurrence, averaged over directions that hold pairs, or of all merged."""
    from radlake.features import table_kernels

    texture = _texture(roi, parameters)
    if parameters.distances == (1,):
        steps = tables.directions(deep=not parameters.force2D)
        backwards, _ = tables.summed(texture, deep=not parameters.force2D)
        pairs = backwards.swapaxes(1, 2)
    else:
        steps = _offsets(parameters)
        pairs = far.pairs(texture, steps)
    held = pairs.any(axis=(1, 2))
    if not held.any():
        return dict.fromkeys(CLASSES["glcm"], NO_VALUE)
    counted: NDArray[Any] = pairs[held]
    if parameters.weightingNorm is not None:
        counted = tables.merged(counted, tables.nearness(_lengths(steps, roi, parameters)[held]))
    table = table_kernels.cooccurrences(np.ascontiguousarray(counted))
    if not parameters.symmetricalGLCM:
        for place, measures in tables.one_way(counted).items():
            table[:, place] = measures
    table[np.isnan(table[:, 18]), 18] = 1.0  # one grey level: PyRadiomics' correlation is 1
    table[np.isnan(table[:, 23]), 23] = 0.0  # and its information measure 0
    return _averaged(table, GLCM) | {"MCC": _maximal_correlation(texture, counted, parameters)}


def _maximal_correlation(texture: Texture, pairs: NDArray[Any], parameters: Parameters) -> float:
    """Mean over tables of pairs; 1 for a region of one grey level."""
    inside = texture.levels[texture.levels > 0]
    if inside.min() == inside.max():
        return 1.0
    return float(np.mean([tables.maximal_correlation(p, symmetrical=parameters.symmetricalGLCM) for p in pairs]))


def _glrlm(roi: Roi, parameters: Parameters) -> Values:
    """Run lengths, averaged over directions on which voxels lie in line, or of all merged."""
    from radlake.features import table_kernels

    texture, deep = _texture(roi, parameters), not parameters.force2D
    pairs, runs = tables.summed(texture, deep=deep)
    held = tables.joined(texture, pairs, deep=deep)
    if not held.any():
        return dict.fromkeys(CLASSES["glrlm"], NO_VALUE)
    counted: NDArray[Any] = runs[held]
    voxels: NDArray[Any] = np.full(len(counted), texture.voxels.sum())
    if parameters.weightingNorm is not None:
        # Runs, unlike pairs, weigh as much as their direction is long.
        weights = _lengths(tables.directions(deep=deep), roi, parameters)[held]
        counted, voxels = tables.merged(counted, weights), np.array([voxels @ weights])
    return _averaged(table_kernels.emphases(np.ascontiguousarray(counted), voxels), GLRLM)


def _glszm(roi: Roi, parameters: Parameters) -> Values:
    """Size zones."""
    from radlake.features import table_kernels

    texture = _texture(roi, parameters)
    zones = texture.zones_in_planes if parameters.force2D else texture.zones
    base = int(zones.size.max()) + 1
    codes = np.sort(zones.level.astype(np.int64) * base + zones.size)
    voxels = texture.voxels.sum(keepdims=True)
    return _averaged(table_kernels.emphases_of_list(codes, texture.count + 1, base, voxels), GLSZM)


def _gldm(roi: Roi, parameters: Parameters) -> Values:
    """Dependences."""
    from radlake.features import table_kernels

    texture = _texture(roi, parameters)
    found = _neighbourhoods(texture, parameters)
    return _averaged(table_kernels.emphases(found.dependence[None], texture.voxels.sum(keepdims=True)), GLDM)


def _ngtdm(roi: Roi, parameters: Parameters) -> Values:
    """Grey tone differences."""
    from radlake.features import table_kernels

    found = _neighbourhoods(_texture(roi, parameters), parameters)
    return _averaged(table_kernels.tone_differences(found.tone[None], found.valid[None], 1e6), NGTDM)


def _neighbourhoods(texture: Texture, parameters: Parameters) -> far.Tables:
    """Tables of the whole region; of nearest neighbours that are equal by the compiled pass."""
    if (parameters.distances, parameters.gldm_a) != ((1,), 0):
        return far.neighbourhoods(texture, _offsets(parameters), apart=parameters.gldm_a)
    near = texture.neighbourhoods_in_planes if parameters.force2D else texture.neighbourhoods
    return far.Tables(near.dependence.sum(axis=0, dtype=np.int64), near.tone.sum(axis=0), near.valid.sum(axis=0))


def _offsets(parameters: Parameters) -> tuple[far.Offset, ...]:
    """Neighbours at the distances asked for, in planes or in the volume."""
    return far.offsets(parameters.distances, deep=not parameters.force2D)


_FUNCTIONS: dict[str, Callable[[Roi, Parameters], Values]] = {
    "firstorder": _first_order,
    "glcm": _glcm,
    "glrlm": _glrlm,
    "glszm": _glszm,
    "gldm": _gldm,
    "ngtdm": _ngtdm,
}
