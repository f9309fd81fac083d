"""Technical values of a DICOM object: the columns of `radlake.core.schema.INSTANCES` that a header can fill.

Texts are as the file has them; `radlake.deid` lets only closed lists through. Absent or senseless values are None.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from radlake.core.fault import ItemError, Term
from radlake.formats.dicom import multiframe, placement
from radlake.formats.dicom.classes import CT_CLASSES, kind_of, modality_of
from radlake.formats.dicom.elements import DicomFile, Elements, PixelSpan
from radlake.formats.dicom.suv import suv_factor

_MOST_PIXEL_BYTES = 64 << 30
_MOST_RATIO = 20_000  # the emptiest real frames compress by a few thousand to one
_NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", None}
_MIB = 1 << 20
_OLDEST = 90.0  # 45 CFR 164.514(b)(2)(i)(C): ages of 90 and more are one class
_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_GAUSS = 1000.0  # no magnet for people has as many tesla
_GE_B_VALUE_STEP = 100_000  # GE adds flags above the value: 1000000800 means 800


def common_values(file: DicomFile, sop_class: str) -> dict[str, Any]:
    """Columns that every kind of object has: modality, classes, patient, body part."""
    elements = file.elements
    modality = modality_of(elements.text("Modality"), sop_class)
    anatomy = elements.first("AnatomicRegionSequence").text("CodeMeaning")
    return {
        "modality": modality,
        "kind": kind_of(modality),
        "sop_class": sop_class or None,
        "transfer_syntax": file.transfer_syntax,
        "body_part": elements.text("BodyPartExamined") or anatomy,
        "laterality": elements.text("ImageLaterality") or elements.text("Laterality"),
        "view": elements.text("ViewPosition"),
        "manufacturer": elements.text("Manufacturer"),
        "sex": elements.text("PatientSex"),
        "age_years": age_years(elements),
        "weight_kg": _above_zero(elements, "PatientWeight"),
        "instance_number": elements.integer("InstanceNumber"),
        "image_type": "\\".join(elements.texts("ImageType")) or None,
    }


def age_years(elements: Elements) -> float | None:
    """Age at the study in years: PatientAge, else from the birth date; 90 stands for 90 and more."""
    text = elements.text("PatientAge") or ""
    if text[:-1].isdecimal() and text[-1:] in _YEARS:
        return min(int(text[:-1]) * _YEARS[text[-1]], _OLDEST)
    born, seen = (_day(elements.text(name)) for name in ("PatientBirthDate", "StudyDate"))
    if born is None or seen is None or not 0 <= (seen - born).days < 130 * 366:
        return None
    return min((seen - born).days / 365.25, _OLDEST)


def _day(text: str | None) -> date | None:
    """DA text as a date."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if text else None
    except ValueError:
        return None


def image_values(file: DicomFile, pixels: PixelSpan, sop_class: str, modality: str) -> dict[str, Any]:
    """Columns of an object with pixels.

    Raises
    ------
    ItemError
        ``contradictory_header`` without rows or columns; ``bomb`` when they promise absurdly much.
    """
    elements = file.elements
    frames = max(1, elements.integer("NumberOfFrames") or 1)
    columns = _layout(elements, pixels, frames)
    _refuse_bomb(columns, file.transfer_syntax)
    columns |= _acquisition(elements) | _place(elements, modality, frames) | _meaning(elements)
    columns |= multiframe.enhanced(elements, frames)
    return columns | _unit(elements, sop_class, modality, columns)


def _layout(elements: Elements, pixels: PixelSpan, frames: int) -> dict[str, Any]:
    """How the samples are stored."""
    rows, columns = elements.integer("Rows"), elements.integer("Columns")
    if not rows or not columns or rows < 0 or columns < 0:
        raise ItemError("contradictory_header", what=Term("pixels without rows or columns"))
    samples = elements.integer("SamplesPerPixel") or 1
    bits = elements.integer("BitsAllocated") or 8
    return {
        "rows": rows,
        "columns": columns,
        "frames": frames,
        "samples": samples,
        "photometric": elements.text("PhotometricInterpretation"),
        "bits_allocated": bits,
        "bits_stored": elements.integer("BitsStored") or bits,
        "pixel_signed": elements.integer("PixelRepresentation") == 1,
        "float_pixels": pixels.name != "PixelData",
        "pixel_bytes": rows * columns * frames * samples * max(1, (bits + 7) // 8),
        "stored_bytes": pixels.stored_bytes,
    }


def _refuse_bomb(columns: dict[str, Any], transfer_syntax: str | None) -> None:
    """Refuse what no scanner writes before anybody allocates it."""
    promised, stored = columns["pixel_bytes"], columns["stored_bytes"]
    is_native = transfer_syntax in _NATIVE  # there a shortage is a truncated file, and found when it is loaded
    if promised > _MOST_PIXEL_BYTES or (not is_native and promised > _MOST_RATIO * max(stored, 1)):
        raise ItemError("bomb", promised_mib=round(promised / _MIB), stored_mib=round(stored / _MIB, 3))


def _acquisition(elements: Elements) -> dict[str, Any]:
    """How the image was made."""
    types = {term.upper() for term in elements.texts("ImageType")}
    burned_in = (elements.text("BurnedInAnnotation") or "").upper()
    return {
        "slice_thickness": _above_zero(elements, "SliceThickness"),
        "gantry_tilt": elements.number("GantryDetectorTilt"),
        "acquisition_number": elements.integer("AcquisitionNumber"),
        "echo_time": elements.number("EchoTime"),
        "temporal_position": elements.integer("TemporalPositionIdentifier"),
        "b_value": b_value(elements),
        "trigger_time": elements.number("TriggerTime"),
        "localizer": not types.isdisjoint({"LOCALIZER", "SCOUT"}),
        "burned_in": burned_in if burned_in in ("YES", "NO") else None,
        "field_strength": _tesla(elements),
        "kvp": _above_zero(elements, "KVP"),
        "contrast": _contrast(elements),
    }


def _contrast(elements: Elements) -> bool | None:
    """Whether a contrast agent was given; None where the header does not say."""
    if elements.items("ContrastBolusAgentSequence"):
        return True
    if "ContrastBolusAgent" not in elements:
        return None
    agent = (elements.text("ContrastBolusAgent") or "").upper()
    return agent not in ("", "NO", "NONE", "N", "WITHOUT")


def b_value(elements: Elements) -> float | None:
    """Diffusion weighting in s/mm2: the standard element, else the vendor's own."""
    for keyword in ("DiffusionBValue", *map(elements.private, ("SiemensBValue", "PhilipsBValue"))):
        if keyword and (value := elements.number(keyword)) is not None:
            return value
    private = elements.private("GEBValue")
    value = elements.number(private) if private else None
    return None if value is None else value % _GE_B_VALUE_STEP


def _place(elements: Elements, modality: str, frames: int) -> dict[str, Any]:
    """Where the image lies."""
    columns: dict[str, Any] = {
        "position": placement.vector(elements, "ImagePositionPatient", 3),
        "orientation": placement.orientation(elements),
        **placement.spacing(elements),
        **placement.mosaic(elements),
    }
    if modality == "NM":
        columns |= multiframe.nuclear(elements, frames)
    elif modality == "RTDOSE":
        columns |= multiframe.dose(elements, frames)
    return columns


def _meaning(elements: Elements) -> dict[str, Any]:
    """What is done to the stored numbers: rescale, lookup table, window, padding."""
    slope = elements.number("RescaleSlope")
    return {
        "rescale_slope": slope if slope is not None else elements.number("DoseGridScaling"),
        "rescale_intercept": elements.number("RescaleIntercept"),
        "has_modality_lut": bool(elements.items("ModalityLUTSequence")),
        "window_center": elements.number("WindowCenter"),
        "window_width": _above_zero(elements, "WindowWidth"),
        "padding_value": _padding(elements),
    }


def _unit(elements: Elements, sop_class: str, modality: str, columns: dict[str, Any]) -> dict[str, Any]:
    """Unit of the values once rescaled, and for PET the factor to SUVbw."""
    if modality == "PT":
        factor, unit = suv_factor(elements)
        return {"suv_factor": factor, "unit": unit}
    if modality == "SEG":
        return {"unit": "label"}
    is_ct = sop_class in CT_CLASSES and not columns["localizer"] and columns.get("rescale_intercept") is not None
    return {"unit": "HU" if is_ct and _is_hounsfield(elements) else "a.u."}


def _is_hounsfield(elements: Elements) -> bool:
    """Whether a rescaled CT is in HU.

    PS3.3 C.8.2.1: RescaleType may be left out only for HU. Derived images without it are believed when they are
    axial slices, because postprocessing often forgets it.
    """
    rescale_type = (elements.text("RescaleType") or multiframe.rescale_type(elements) or "").upper()
    if rescale_type in ("", "US"):  # unspecified
        terms = [term.upper() for term in elements.texts("ImageType")]
        return not terms or terms[0] == "ORIGINAL" or "AXIAL" in terms
    return rescale_type == "HU"


def _padding(elements: Elements) -> float | None:
    """PixelPaddingValue as a stored value, signed as the pixels are (PS3.3 C.7.5.1.1.2), whatever its VR says."""
    value = elements.integer("PixelPaddingValue")
    if value is None:
        return None
    bits = 16 if -(1 << 15) <= value < 1 << 16 else 32
    if elements.integer("PixelRepresentation") == 1:
        return float((value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1)))
    return float(value % (1 << bits))


def _tesla(elements: Elements) -> float | None:
    """Field strength; older scanners write it in gauss, as 15000 for 1.5 T."""
    value = _above_zero(elements, "MagneticFieldStrength")
    return value / 10_000 if value is not None and value >= _GAUSS else value


def _above_zero(elements: Elements, keyword: str) -> float | None:
    """A number above zero, or None."""
    value = elements.number(keyword)
    return value if value is not None and value > 0 else None
