"""From a `Header` to its row of `instances`: numbers within the bounds of what they measure, strings by closed lists.

Whatever a list or a bound does not allow becomes null: nothing enters because nobody thought of forbidding it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from radlake.core.header import Header
from radlake.core.image import KINDS, UNITS
from radlake.core.schema import INSTANCES
from radlake.core.stage import Row
from radlake.deid import pixel_text
from radlake.deid.pseudonyms import Ids, shifted_day
from radlake.deid.regions import region_names
from radlake.deid.vocabulary import terms

Profile = Literal["research", "strict"]
OLDEST_AGE = 90.0  # 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category

_STRICT_DROPS = ("study_day", "age_years", "weight_kg", "sex", "site_id", "device_id")
_SPACING_SOURCES = frozenset({"pixel_spacing", "imager", "region", "header"})
_MILLION, _BILLION = 1e6, 1e9

# Least and most that a number can sensibly be. Ordinals stay below 100,000, so that no date or record number fits.
_BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("rows", "columns", "frames", "slices"), (0, 1 << 20)),
    **dict.fromkeys(("instance_number", "acquisition_number", "temporal_position"), (-1, 99_999)),
    **dict.fromkeys(("samples", "mosaic_tiles"), (0, 4096)),
    **dict.fromkeys(("bits_allocated", "bits_stored"), (1, 64)),
    **dict.fromkeys(("spacing_y", "spacing_x", "spacing_z"), (1e-6, 1e4)),
    **dict.fromkeys(("rescale_slope", "rescale_intercept", "suv_factor", "padding_value"), (-1e12, 1e12)),
    **dict.fromkeys(("window_center", "window_width"), (-_BILLION, _BILLION)),
    **dict.fromkeys(("pixel_bytes", "stored_bytes"), (0, 1 << 50)),
    "slice_thickness": (0, 1e4),
    "gantry_tilt": (-90, 90),
    "echo_time": (0, 1e5),  # ms
    "b_value": (0, 1e5),  # s/mm2
    "trigger_time": (0, _MILLION),  # ms
    "field_strength": (0, 30),  # T
    "kvp": (0, 50_000),  # kV, therapy included
    "age_years": (0, OLDEST_AGE),
    "weight_kg": (0.1, 700),
}
_LENGTHS = {"position": 3, "orientation": 6, "slice_direction": 3}


def instance_row(header: Header, ids: Ids, *, file_id: str, key: bytes, profile: Profile = "research") -> Row:
    """Row of `instances` for one member of a file.

    Parameters
    ----------
    header : Header
        What the reader found, identities included.
    ids : Ids
        Pseudonyms of the member.
    file_id : str
        Pseudonym of the file; the owner of the row.
    key : bytes
        Moves the study's date.
    profile : {"research", "strict"}
        "strict" also drops the shifted date, age, weight, sex, and the ids of site and device.

    Examples
    --------
    >>> from radlake.core.header import Identity
    >>> from radlake.deid.pseudonyms import ids
    >>> head = Header("dicom", values={"modality": "CT", "rows": 512, "manufacturer": "Doe Imaging", "kvp": 120.0})
    >>> row = instance_row(head, ids(b"k" * 32, Identity(), file_id="fi-a"), file_id="fi-a", key=b"k" * 32)
    >>> row["modality"], row["rows"], row["manufacturer"], row["kvp"]
    ('CT', 512, None, 120.0)
    """
    row = {name: clean(name, header.values.get(name)) for name in INSTANCES.names}
    row |= asdict(ids) | {"owner": file_id, "file_id": file_id, "member": header.member, "role": header.role}
    row |= {"format": header.format, "rois": region_names(header.rois) or None}
    row["study_day"] = shifted_day(key, header.study_date, ids.patient_id or ids.study_id)
    row["pixel_text"] = pixel_text.state(row) if header.role == "image" else None
    if profile == "strict":
        row |= dict.fromkeys(_STRICT_DROPS)
    return row


def clean(column: str, value: Any) -> Any:
    r"""A value of a header as the column of `instances` may hold it; None where it may not.

    Examples
    --------
    >>> clean("age_years", 93.0), clean("instance_number", 19800101), clean("manufacturer", "G.E. Medical Systems")
    (90.0, None, 'GE')
    >>> clean("image_type", "ORIGINAL\\PRIMARY\\JOHN DOE")
    'ORIGINAL\\PRIMARY'
    """
    if value is None:
        return None
    kind = INSTANCES.field(column).type
    if pa.types.is_boolean(kind):
        return bool(value) if isinstance(value, bool | np.bool_) else None
    if pa.types.is_string(kind):
        rule = _string_rules().get(column)
        return rule(value) if rule and isinstance(value, str) else None
    if pa.types.is_list(kind):
        return _numbers(column, value, kind.value_type)
    if column == "age_years" and isinstance(value, int | float):
        value = min(value, OLDEST_AGE)
    return _number(value, *_BOUNDS.get(column, (-_MILLION, _MILLION)), whole=pa.types.is_integer(kind))


def _number(value: Any, least: float, most: float, *, whole: bool) -> int | float | None:
    """A finite number between two bounds."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not (math.isfinite(number) and least <= number <= most) or (whole and number != int(number)):
        return None
    return int(value) if whole else number


def _numbers(column: str, values: Any, kind: pa.DataType) -> list[int | float] | None:
    """A list of finite numbers, of the right length; null as soon as one of them is none."""
    if not isinstance(values, list | tuple) or len(values) != _LENGTHS.get(column, len(values)):
        return None
    found = [_number(v, -_MILLION, _MILLION, whole=pa.types.is_integer(kind)) for v in values]
    kept = [n for n in found if n is not None]
    return kept if len(kept) == len(found) else None


def _listed(allowed: frozenset[str] | tuple[str, ...]) -> Callable[[str], str | None]:
    """Rule for a column whose values are a closed list as they stand."""
    return lambda text: text if text in allowed else None


def _term(allowed: frozenset[str]) -> Callable[[str], str | None]:
    """Rule for a DICOM code string: upper case, no padding."""
    return lambda text: t if (t := text.strip().upper()) in allowed else None


def _image_type(text: str) -> str | None:
    """The defined terms of an Image Type, in their order."""
    return "\\".join(t for t in (v.strip().upper() for v in text.split("\\")) if t in terms.IMAGE_TYPES) or None


def _body_part(text: str) -> str | None:
    """A body part by its defined term, however it is spaced."""
    name = "".join(c for c in text.upper() if c.isalnum())
    name = terms.BODY_PART_SPELLINGS.get(name, name)
    return name if name in terms.BODY_PARTS else None


def _manufacturer(text: str) -> str | None:
    """The known company that the first known word of a name stands for."""
    words = "".join(c if c.isalnum() else " " for c in text.lower().replace(".", "")).split()
    return next((terms.MANUFACTURERS[w] for w in words if w in terms.MANUFACTURERS), None)


@cache
def _registered_uids() -> Mapping[str, Any]:
    """UIDs of PS3.6 Annex A; pydicom carries the table."""
    from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]

    return UID_dictionary


def _registered_uid(text: str) -> str | None:
    """A UID only when the standard or its maker publishes it: any other could be somebody's."""
    public = text in terms.NEWER_UIDS or text in terms.PRIVATE_CLASSES or text in _registered_uids()
    return text if public else None


@cache
def _string_rules() -> dict[str, Callable[[str], str | None]]:
    """Rule of each text column that comes from the file; a column without one stays null."""
    return {
        "modality": _term(terms.MODALITIES),
        "kind": _listed(KINDS),
        "unit": _listed(UNITS),
        "sop_class": _registered_uid,
        "transfer_syntax": _registered_uid,
        "photometric": _term(terms.PHOTOMETRIC),
        "spacing_source": _listed(_SPACING_SOURCES),
        "image_type": _image_type,
        "burned_in": _term(terms.BURNED_IN),
        "body_part": _body_part,
        "laterality": _term(terms.LATERALITIES),
        "view": _term(terms.VIEWS),
        "manufacturer": _manufacturer,
        "sex": _term(terms.SEXES),
    }
