"""Check: bit depths that contradict each other or the values."""

from __future__ import annotations

from collections.abc import Sequence

from radlake.core.finding import Finding
from radlake.core.image import Image
from radlake.core.stage import Row
from radlake.quality.planes import sample


def check(image: Image, row: Row, members: Sequence[Row]) -> list[Finding]:
    """Errors: more bits stored than allocated, or stored values outside what the stored bits can hold.

    References
    ----------
    DICOM PS3.5 section 8.1.1: Bits Stored (0028,0101) never exceeds Bits Allocated (0028,0100).
    """
    return _stored_beyond_allocated(members) + _values_beyond_stored(image, members)


def stored_range(bits: int, signed: bool) -> tuple[int, int]:
    """Lowest and highest integer that `bits` can hold.

    Examples
    --------
    >>> stored_range(12, False), stored_range(12, True)
    ((0, 4095), (-2048, 2047))
    """
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def _stored_beyond_allocated(members: Sequence[Row]) -> list[Finding]:
    """The first member that stores more bits than it allocates."""
    for m in members:
        stored, allocated = m.get("bits_stored"), m.get("bits_allocated")
        if stored is not None and allocated is not None and stored > allocated:
            message = f"{stored} bits stored in {allocated} allocated bits"
            return [Finding("bit_depth", "error", message, "the header is wrong; export it again", float(stored))]
    return []


def _values_beyond_stored(image: Image, members: Sequence[Row]) -> list[Finding]:
    """Loaded values taken back through the rescale; only where one linear rescale made them."""
    scale = _linear_rescale(image, members)
    values = sample(image)
    if scale is None or values.size == 0:
        return []
    slope, intercept, (low, high) = scale
    ends = sorted((float(v) - intercept) / slope for v in (values.min(), values.max()))
    slack = 0.5 + 1e-6 * (high - low)  # float32 after the rescale
    if low - slack <= ends[0] and ends[1] <= high + slack:
        return []
    message = f"stored values from {ends[0]:.0f} to {ends[1]:.0f}, the stored bits hold {low} to {high}"
    return [Finding("bit_depth", "error", message, "check for overlay bits or a wrong Bits Stored", ends[1])]


def _linear_rescale(image: Image, members: Sequence[Row]) -> tuple[float, float, tuple[int, int]] | None:
    """Slope, intercept and stored range that all members share; None where values cannot be taken back."""
    keys = ("rescale_slope", "rescale_intercept", "bits_stored", "pixel_signed", "has_modality_lut")
    shared = {tuple(m.get(k) for k in keys) for m in members}
    if len(shared) != 1 or image.unit not in ("HU", "a.u.") or image.channel_axis is not None:
        return None
    slope, intercept, bits, signed, table = shared.pop()
    one = members[0]
    other_scale = table or one.get("float_pixels") or one.get("photometric") not in ("MONOCHROME2", None)
    if not bits or not 1 <= bits <= 32 or other_scale or signed is None or slope == 0:
        return None
    slope = 1.0 if slope is None else float(slope)
    return slope, float(intercept or 0.0), stored_range(int(bits), bool(signed))
