"""Body-weight SUV of PET: the factor from Bq/mL, or null where the header does not allow one.

Follows the vendor-neutral pseudo-code of QIBA's FDG-PET/CT profile ("SUV normalised by body weight",
qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)) and PS3.3 C.8.9.1 for the attributes.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from radlake.core.image import Unit
from radlake.formats.dicom.elements import Elements

_LEAST_DOSE_BQ = 1e4  # below, the writer meant MBq or mCi, and which of them is not known
_MOST_HALF_LIVES = 20.0


def body_weight_factor(weight_kg: float, dose_bq: float, half_life_s: float, elapsed_s: float) -> float:
    """Factor that turns Bq/mL into SUV normalised by body weight, in g/mL over Bq/mL.

    weight in grams / (dose * 2 ** (-elapsed / half-life)), tissue taken to weigh 1 g/mL.

    Parameters
    ----------
    weight_kg : float
        Body weight.
    dose_bq : float
        Injected activity at injection.
    half_life_s : float
        Of the radionuclide.
    elapsed_s : float
        From injection to the time to which the image is corrected for decay.

    References
    ----------
    Kinahan and Fletcher (2010), PET/CT standardized uptake values, Semin Ultrasound CT MR 31(6):496, equation 1.

    Examples
    --------
    >>> body_weight_factor(70.0, 350e6, 6586.2, 6586.2)
    0.0004
    """
    return weight_kg * 1000.0 / (dose_bq * math.exp2(-elapsed_s / half_life_s))


def count_rate_time(half_life_s: float, duration_s: float) -> float:
    """Seconds after the start of a frame at which the activity equals its mean over the frame.

    ln(x / (1 - exp(-x))) / decay constant, with x = decay constant * duration (QIBA pseudo-code).

    Examples
    --------
    >>> round(count_rate_time(6586.2, 120.0), 2)
    59.94
    """
    constant = math.log(2.0) / half_life_s
    x = constant * duration_s
    return math.log(x / -math.expm1(-x)) / constant


def suv_factor(elements: Elements) -> tuple[float | None, Unit]:
    """Factor from rescaled values to SUVbw in g/mL, and the unit that the values have once it is applied.

    Null with Bq/mL or a.u. when weight, dose, half-life, times or the corrections that must have been made are
    missing or contradict each other.
    """
    units = (elements.text("Units") or "").upper()
    if units == "GML" and (elements.text("SUVType") or "BW") == "BW":
        return 1.0, "SUVbw"
    if units == "BQML":
        factor = _from_activity(elements)
        return (factor, "SUVbw") if factor else (None, "Bq/mL")
    if units == "CNTS":
        return _from_counts(elements)
    return None, "a.u."


def _from_counts(elements: Elements) -> tuple[float | None, Unit]:
    """Philips: private factors from counts to SUV, or from counts to Bq/mL."""
    scale = _positive(elements.private("PhilipsSUVScale"), elements)
    if scale:
        return scale, "SUVbw"
    activity = _positive(elements.private("PhilipsActivityScale"), elements)
    factor = _from_activity(elements) if activity else None
    return (activity * factor, "SUVbw") if activity and factor else (None, "a.u.")


def _from_activity(elements: Elements) -> float | None:
    """Factor from Bq/mL, by injection and scan."""
    tracer = elements.first("RadiopharmaceuticalInformationSequence")
    dose = _positive("RadionuclideTotalDose", tracer)
    half_life = _positive("RadionuclideHalfLife", tracer)
    weight = _positive("PatientWeight", elements)
    corrected = {term.upper() for term in elements.texts("CorrectedImage")}
    if not (dose and dose >= _LEAST_DOSE_BQ and half_life and weight and {"ATTN", "DECY"} <= corrected):
        return None
    reference = (elements.text("DecayCorrection") or "").upper()
    if reference == "ADMIN":
        return body_weight_factor(weight, dose, half_life, 0.0)
    scan = _scan_start(elements, half_life) if reference == "START" else None
    elapsed = _since_injection(tracer, scan) if scan else None
    if elapsed is None or not 0.0 <= elapsed <= _MOST_HALF_LIVES * half_life:
        return None
    return body_weight_factor(weight, dose, half_life, elapsed)


def _positive(keyword: str | None, elements: Elements) -> float | None:
    """A number above zero, or None."""
    value = elements.number(keyword) if keyword else None
    return value if value is not None and value > 0 else None


def _scan_start(elements: Elements, half_life: float) -> datetime | None:
    """Time to which DecayCorrection START refers.

    Series time, unless it lies after the acquisition: then a later processing step wrote it.
    """
    series = _moment(elements.text("SeriesDate"), elements.text("SeriesTime"))
    acquired = _moment(elements.text("AcquisitionDate"), elements.text("AcquisitionTime"))
    if series and (acquired is None or series <= acquired):
        return series
    private = elements.private("GEScanDateTime")
    if private and (text := elements.text(private)):
        return _moment(text[:8], text[8:])
    reference = elements.number("FrameReferenceTime")
    duration = _positive("ActualFrameDuration", elements)
    if acquired is None or reference is None or duration is None:
        return None
    # Both in ms; the frame reference time counts from the series' start to the frame's mean activity.
    shift = count_rate_time(half_life, duration / 1000.0) - reference / 1000.0
    return acquired + timedelta(seconds=shift) if abs(shift) < 1e6 else None


def _since_injection(tracer: Elements, scan: datetime) -> float | None:
    """Seconds from injection to scan; a time of day after the scan's means the day before."""
    stamp = tracer.text("RadiopharmaceuticalStartDateTime")
    if stamp and (injected := _moment(stamp[:8], stamp[8:])):
        return (scan - injected).total_seconds()
    injected = _moment(scan.strftime("%Y%m%d"), tracer.text("RadiopharmaceuticalStartTime"))
    if injected is None:
        return None
    elapsed = (scan - injected).total_seconds()
    return elapsed if elapsed >= 0 else elapsed + 86400.0


def _moment(date: str | None, time: str | None) -> datetime | None:
    """DA and TM text as a moment; time zones are left out, because both ends of an interval share them."""
    if not date or not time:
        return None
    whole, _, fraction = re.split("[+-]", time, maxsplit=1)[0].replace(":", "").partition(".")
    try:
        day = datetime.strptime(date.replace(".", "")[:8], "%Y%m%d")
        hour, minute, second = (int(whole[i : i + 2] or 0) for i in (0, 2, 4))
        start = day.replace(hour=hour, minute=minute, second=min(second, 59))  # 60 is a leap second
        return start + timedelta(seconds=float(f"0.{fraction or 0}"))
    except (ValueError, OverflowError):
        return None
