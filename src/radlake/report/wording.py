"""Words and number formats of the page. What readers of a hospital would say, not what tables call it."""

from __future__ import annotations

import math
import re

# PS3.3 C.7.3.1.1.1, defined terms of Modality (0008,0060) that hold images.
MODALITIES: dict[str, str] = {
    "CT": "computed tomography", "MR": "magnetic resonance", "US": "ultrasound", "PT": "positron emission tomography",
    "NM": "nuclear medicine", "CR": "computed radiography", "DX": "digital radiography", "MG": "mammography",
    "XA": "X-ray angiography", "RF": "radiofluoroscopy", "XC": "external-camera photography", "ES": "endoscopy",
    "OP": "ophthalmic photography", "OPT": "ophthalmic tomography", "SM": "slide microscopy",
    "GM": "general microscopy", "RTDOSE": "radiotherapy dose", "RTIMAGE": "radiotherapy image", "OT": "other",
    "IVUS": "intravascular ultrasound", "OCT": "optical coherence tomography", "IO": "intra-oral radiography",
    "PX": "panoramic X-ray", "SC": "secondary capture", "SEG": "segmentation",
}  # fmt: skip

CHECKS: dict[str, str] = {
    "missing_slices": "slices are missing inside a stack",
    "duplicate_slices": "slices lie at one position or repeat their pixels",
    "uneven_spacing": "slices are not equally far apart",
    "gantry_tilt": "slices are stacked at a slant",
    "spacing_missing": "no physical pixel size: lengths are in pixels",
    "anisotropy": "voxels are much longer than wide",
    "localizer": "planning pictures, not a diagnostic series",
    "constant_pixels": "whole planes hold one value",
    "truncated_pixels": "the end of the pixels looks cut off",
    "nonfinite": "values that are no numbers",
    "saturation": "values are clipped at the end of the range",
    "bit_depth": "values exceed the bits that the header declares",
    "photometric": "brightness may be inverted",
    "ct_range": "values outside what a CT can measure",
    "noise": "signal-to-noise ratio",
    "blur": "sharpness",
}

SOURCES: dict[str, str] = {
    "auto": "automatic", "seg": "DICOM SEG", "rtstruct": "RTSTRUCT", "label": "label image", "outline": "drawn outline",
}  # fmt: skip

ACTIONS: dict[str, str] = {
    "keyed": "replaced by a keyed pseudonym", "removed": "taken out altogether", "cleaned": "free text cleaned",
    "shifted": "date shifted by a keyed number of days", "capped": "age capped at 90",
    "kept": "identifies nobody",
}  # fmt: skip

PIXEL_TEXT: dict[str, str] = {
    "clean": "cannot carry readable text", "redacted": "text was removed", "unsure": "normally carries no text",
    "unchecked": "may carry text, and nobody has looked",
}  # fmt: skip

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_KIB_STEPS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def count(value: float | None) -> str:
    """A whole number with thousands separated; a dash for none.

    Examples
    --------
    >>> count(12345), count(None)
    ('12,345', '–')
    """
    return "–" if value is None else f"{int(value):,}"


def number(value: float | None, digits: int = 3) -> str:
    """A measured value with so many significant digits; a dash for none.

    Examples
    --------
    >>> number(0.123456), number(1234.5), number(2.5e9), number(-0.0), number(None)
    ('0.123', '1,230', '2.5e9', '0', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 7:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}".replace("-", "−")
    rounded = round(value, digits - 1 - size)
    return _trimmed(f"{rounded:,.{max(0, digits - 1 - size)}f}").replace("-", "−")


def fixed(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """A score with so many decimals; a dash for none.

    Examples
    --------
    >>> fixed(0.5), fixed(-0.01, 2, signed=True)
    ('0.500', '−0.01')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "−")


def span(low: float | None, high: float | None, unit: str = "") -> str:
    """A range, written once when both ends read the same.

    Examples
    --------
    >>> span(1.0, 2.5, "mm"), span(1.0, 1.0), span(None, None, "mm")
    ('1 to 2.5 mm', '1', '–')
    """
    ends = (number(low), number(high))
    text = ends[0] if ends[0] == ends[1] else " to ".join(ends)
    return f"{text} {unit}".strip() if text != "–" else text


def size(value: float | None) -> str:
    """Bytes in binary multiples.

    Examples
    --------
    >>> size(100), size(1536), size(3 << 30)
    ('100 B', '1.5 KiB', '3 GiB')
    """
    if value is None:
        return "–"
    if value < 1024:
        return f"{int(value)} B"
    step = min(int(math.log(value, 1024)), len(_KIB_STEPS))
    return f"{number(value / 1024**step)} {_KIB_STEPS[step - 1]}"


def duration(seconds: float | None) -> str:
    """A time as a person says it.

    Examples
    --------
    >>> duration(4.26), duration(75), duration(7320), duration(None)
    ('4.3 s', '1 min 15 s', '2 h 2 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{number(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def short(identifier: str | None) -> str:
    """The start of a pseudonym, enough to find it in the tables; a dash for none.

    Examples
    --------
    >>> short("pt-uevzr7l7qlqn4rlrvyess6bl")
    'pt-uevzr7l7'
    """
    return "–" if identifier is None else identifier[:11]


def plural(n: float, word: str, many: str | None = None) -> str:
    """A count with its noun.

    Examples
    --------
    >>> plural(1, "file"), plural(2000, "study", "studies")
    ('1 file', '2,000 studies')
    """
    return f"{count(n)} {word if n == 1 else many or word + 's'}"


def words(name: str) -> str:
    """A name from a table without underscores.

    Examples
    --------
    >>> words("missing_slices")
    'missing slices'
    """
    return name.replace("_", " ")


def unit(code: str | None) -> str:
    """A unit of measure as it is printed; nothing for pure numbers.

    Examples
    --------
    >>> unit("mm3"), unit("mm-1"), unit("HU.mm3"), unit("(a.u.)2"), unit("1")
    ('mm³', 'mm⁻¹', 'HU·mm³', '(a.u.)²', '')
    """
    if code in (None, "1"):
        return ""
    dotted = re.sub(r"\.(?=(mm|px))", "·", str(code))
    return re.sub(r"(?<=[a-z)])-?\d", lambda power: power[0].translate(_RAISED), dotted, flags=re.IGNORECASE)


def _trimmed(text: str) -> str:
    """A decimal number without the zeros at its end."""
    return text.rstrip("0").rstrip(".") if "." in text else text
