"""Where a picture lies: spacing, position and orientation of single frames, ultrasound regions, Siemens mosaics.

Everything is millimetres in the patient's LPS system (PS3.3 C.7.6.2.1.1). Values that no geometry can have (zero
spacing, directions that are no unit vectors) count as absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from radlake.formats.dicom.csa import csa_values
from radlake.formats.dicom.elements import Elements

_FARTHEST_MM = 1e5
_CENTIMETRES = 3  # PS3.3 C.8.5.5.1.15
_MOSAIC_TAGS = frozenset({"NumberOfImagesInMosaic", "SliceNormalVector"})


def vector(elements: Elements, keyword: str, length: int) -> list[float] | None:
    """Exactly so many numbers within reach of a scanner, or None."""
    numbers = elements.numbers(keyword)
    return numbers if len(numbers) == length and max(map(abs, numbers)) < _FARTHEST_MM else None


def orientation(elements: Elements) -> list[float] | None:
    """ImageOrientationPatient when it holds two perpendicular unit vectors, or None.

    Up to 2% off is what rounded text and small tilts explain; more is no direction.
    """
    six = vector(elements, "ImageOrientationPatient", 6)
    if six is None:
        return None
    row, column = six[:3], six[3:]
    is_sound = all(abs(math.hypot(*v) - 1.0) < 0.02 for v in (row, column)) and abs(dot(row, column)) < 0.02
    return six if is_sound else None


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """Scalar product."""
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def normal(six: Sequence[float]) -> list[float]:
    """Cross product of the row and column direction.

    Examples
    --------
    >>> normal([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    [0.0, 0.0, 1.0]
    """
    a, b, c, d, e, f = six
    return [b * f - c * e, c * d - a * f, a * e - b * d]


def spacing(elements: Elements) -> dict[str, Any]:
    """Columns spacing_y, spacing_x and spacing_source, as far as the object states them.

    In the patient where known, else at the detector (magnified by the geometry of the exposure), else of the
    ultrasound region that covers most of the picture.
    """
    for keyword, source in (
        ("PixelSpacing", "pixel_spacing"),
        ("ImagerPixelSpacing", "imager"),
        ("NominalScannedPixelSpacing", "imager"),
    ):
        # PS3.3 10.7.1.3: first value is row spacing, so it scales y.
        if (pair := vector(elements, keyword, 2)) and min(pair) > 0:
            return {"spacing_y": pair[0], "spacing_x": pair[1], "spacing_source": source}
    pair = _region_spacing(elements.items("SequenceOfUltrasoundRegions"))
    return {"spacing_y": pair[0], "spacing_x": pair[1], "spacing_source": "region"} if pair else {}


def _region_spacing(regions: list[Elements]) -> list[float] | None:
    """Spacing (y, x) of the largest two-dimensional region measured in centimetres both ways, or None."""
    found: list[tuple[float, list[float]]] = []
    for region in regions:
        units = {region.integer("PhysicalUnitsXDirection"), region.integer("PhysicalUnitsYDirection")}
        deltas = [region.number("PhysicalDeltaY"), region.number("PhysicalDeltaX")]
        ends = [region.integer(f"RegionLocation{end}") for end in ("MinX0", "MinY0", "MaxX1", "MaxY1")]
        if region.integer("RegionSpatialFormat") != 1 or units != {_CENTIMETRES}:
            continue
        if None in deltas or None in ends:
            continue
        x0, y0, x1, y1 = (e or 0 for e in ends)
        millimetres = [abs(d or 0.0) * 10.0 for d in deltas]
        if min(millimetres) > 0 and max(millimetres) < _FARTHEST_MM:
            found.append(((x1 - x0) * (y1 - y0), millimetres))
    return max(found, key=lambda region: region[0])[1] if found else None


def mosaic(elements: Elements) -> dict[str, Any]:
    """Columns of a Siemens mosaic: tiles, distance between slices, direction of the slices; empty for others."""
    if "MOSAIC" not in elements.texts("ImageType"):
        return {}
    name = elements.private("SiemensCSAImageHeader")
    csa = csa_values(elements.values[name][1], _MOSAIC_TAGS) if name else {}
    direct = elements.private("SiemensMosaicTiles")
    tiles = elements.integer(direct) if direct else _integer(csa.get("NumberOfImagesInMosaic", []))
    if tiles is None or not 1 <= tiles <= 4096:
        return {}
    columns: dict[str, Any] = {"mosaic_tiles": tiles}
    if (gap := elements.number("SpacingBetweenSlices")) and gap > 0:
        columns["spacing_z"] = gap
    direction = _unit_vector(csa.get("SliceNormalVector", []))
    return columns | ({"slice_direction": direction} if direction else {})


def _integer(texts: list[str]) -> int | None:
    """First text as an integer."""
    return int(texts[0]) if texts and texts[0].isdecimal() else None


def _unit_vector(texts: list[str]) -> list[float] | None:
    """Three texts as a unit vector, or None."""
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        return None
    return numbers if len(numbers) == 3 and abs(math.hypot(*numbers) - 1.0) < 0.02 else None
