"""All regions of a label map in one pass: each is cropped where it lies, never searched for in the whole image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Unpack, cast

import numpy as np
import pyarrow as pa

from radlake.core.fault import ItemError, Term
from radlake.core.image import Array, Image
from radlake.features.aspects import Aspect, aspects_of
from radlake.features.extract import axes_of, described, family_values, settings_id, unusual
from radlake.features.families import chosen_families, families_on
from radlake.features.filtered import Filter
from radlake.features.presets import Options, Settings, resampled, settings_of
from radlake.features.roi import Roi, Values, framed, region_of_interest, roi_in

SCHEMA = pa.schema(
    [
        ("label", pa.int64()),
        ("family", pa.string()),
        ("aggregation", pa.string()),
        ("code", pa.string()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("reason", pa.string()),
        ("settings_id", pa.string()),
    ]
)

_WORDS = ("family", "aggregation", "code", "name", "unit")


_Words = tuple[dict[str, str | None], ...]


class _Found(NamedTuple):
    """What one family gave for one region on its image or in an aspect: values with their words, or why there are none.

    Nothing of the region itself, so that its tables can go before the next region comes.
    """

    label: int
    aspect: Aspect | None
    words: _Words
    values: Values | ItemError


def extract_labels(
    image: Image | Array | None,
    labels: Image | Array,
    *,
    families: Sequence[str] | None = None,
    preset: str | None = None,
    spacing: Sequence[float] | None = None,
    **options: Unpack[Options],
) -> pa.Table:
    """Features of every region of a label map: one row a label and feature, labels in ascending order.

    Values are those of `radlake.features.extract` on each region alone. A family that cannot measure a region leaves
    one row without a value that says why; the other regions go on.

    Parameters
    ----------
    image : Image, (z, y, x) or (y, x) array, or None
        None when only shape is asked for.
    labels : Image or array of whole numbers
        On the image's grid; every value but 0 is a region.
    families, preset, spacing, options
        As for `extract`.

    Returns
    -------
    pyarrow.Table
        Columns label, family, aggregation, code (IBSI), name, value, unit, reason, settings_id.

    Raises
    ------
    ItemError
        `empty_mask` when all labels are 0, `misaligned_mask`.
    ValueError
        As `extract`, and for labels that are no whole numbers.

    References
    ----------
    Zwanenburg et al. (2020), The Image Biomarker Standardization Initiative, Radiology 295:328-338.

    Examples
    --------
    >>> table = extract_labels(None, np.array([[3, 3, 0, 8]]), families=("shape",))
    >>> [(r["label"], r["value"]) for r in table.to_pylist() if r["name"] == "planar_area_approx"]
    [(3, 2.0), (8, 1.0)]
    """
    settings = settings_of(preset, options)
    chosen = chosen_families(families, preset, axes_of(labels))
    identities = {
        one: settings_id(families=chosen, intensity_range=settings.intensity_range, **unusual(settings, chosen, one))
        for one in (None, *settings.aspects)
    }
    responses: dict[Filter, Array] = {}
    each = _cropped if settings.spacing_mm is None else _resampled
    found = [
        _measured(label, part, one, name, settings)
        for label, roi in each(image, labels, settings, spacing)
        for one, part in aspects_of(roi, settings.aspects, responses)
        for name in families_on(one, chosen)
    ]
    return _table(found, identities)


def _measured(label: int, roi: Roi | ItemError, one: Aspect | None, family: str, settings: Settings) -> _Found:
    """One family of one region."""
    try:
        if isinstance(roi, ItemError):
            raise roi
        values = family_values(family, roi, settings.aggregations)
    except ItemError as problem:
        return _Found(label, one, ({"family": family},), problem)
    return _Found(label, one, described(family, tuple(values), roi, one), values)


def _cropped(
    image: Image | Array | None, labels: Image | Array, settings: Settings, spacing: Sequence[float] | None
) -> Iterator[tuple[int, Roi]]:
    """Regions as they lie on the grid."""
    frame = framed(image, labels, spacing)
    for label, box in _boxes(frame.mask):
        yield label, roi_in(frame, frame.mask[box] == label, box, **settings.of_region)


def _resampled(
    image: Image | Array | None, labels: Image | Array, settings: Settings, spacing: Sequence[float] | None
) -> Iterator[tuple[int, Roi | ItemError]]:
    """Regions on another grid: the image is resampled once, each mask by itself."""
    numbers = labels.array if isinstance(labels, Image) else np.asarray(labels)
    other, _, after = resampled(image, labels, settings, spacing)
    for label, _ in _boxes(numbers):
        inside = numbers == label
        mask = labels.with_array(inside) if isinstance(labels, Image) else inside
        _, moved, _ = resampled(None, mask, settings, spacing)
        try:
            yield label, region_of_interest(other, moved, spacing=after, **settings.of_region)
        except ItemError as problem:
            yield label, problem


def _boxes(labels: Array) -> Iterator[tuple[int, tuple[slice, ...]]]:
    """Each label with its bounding box, in ascending order."""
    from scipy import ndimage

    if labels.dtype.kind == "f":
        if not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
            raise ValueError("labels must be whole numbers")
        labels = labels.astype(np.int64)
    if labels.dtype.kind in "iu" and labels.min() >= 0 and labels.max() <= labels.size:
        found = enumerate(ndimage.find_objects(labels.astype(np.int64, copy=False)), 1)
        boxes = [(label, box) for label, box in found if box is not None]
        if not boxes:
            raise ItemError("empty_mask")
        yield from boxes
        return
    values = np.unique(labels)
    values = values[values != 0]
    if values.size == 0:
        raise ItemError("empty_mask")
    # Ranks in place of values, which may be few and far apart, or negative.
    ranks = np.where(labels == 0, 0, np.searchsorted(values, labels) + 1).astype(np.int32)
    yield from zip(values.tolist(), ndimage.find_objects(ranks), strict=True)


def _table(found: Sequence[_Found], identities: dict[Aspect | None, str]) -> pa.Table:
    """Rows of all regions. The words of a family are the same for most of them: they are kept once and repeated."""
    words: list[dict[str, str | None]] = []
    first: dict[int, int] = {}  # where words begin; those of a family are one object for all regions
    numbers: list[float | None] = []
    reasons: list[str | None] = []
    begins, counts = [], []
    for one in found:
        if isinstance(one.values, ItemError):
            numbers.append(None)
            reasons.append(str(one.values))
        elif Term in {*map(type, one.values.values())}:
            numbers += [None if isinstance(value, Term) else value for value in one.values.values()]
            reasons += [str(value) if isinstance(value, Term) else None for value in one.values.values()]
        else:
            numbers += cast(Iterable[float], one.values.values())
            reasons += [None] * len(one.values)
        if id(one.words) not in first:
            first[id(one.words)] = len(words)
            words += one.words
        begins.append(first[id(one.words)])
        counts.append(len(one.words))
    ends = np.cumsum(counts)
    places = pa.array(np.arange(len(numbers)) - np.repeat(ends - counts, counts) + np.repeat(begins, counts))
    columns = {name: pa.array([w.get(name) for w in words], pa.string()).take(places) for name in _WORDS}
    columns["label"] = pa.array(np.repeat([f.label for f in found], counts), pa.int64())
    columns["value"] = pa.array(numbers, pa.float64())
    columns["reason"] = pa.array(reasons, pa.string())
    order = list(identities)
    columns["settings_id"] = pa.array(identities.values(), pa.string()).take(
        pa.array(np.repeat([order.index(f.aspect) for f in found], counts), pa.int64())
    )
    return pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)
