"""Where each feature is defined in the IBSI manual, and between which values it lies: data for the documentation.

A range is what the definition allows for any region, not what is usual. None: without bound. Keys are names without
aggregation; `tests/features/test_ranges.py` holds what is computed against them.
"""

from __future__ import annotations

import math

from radlake.features.names import (
    AUTOCORRELATION,
    ENCLOSURE,
    FOURIER,
    GLCM,
    GLDZM,
    GLRLM,
    GLSZM,
    HISTOGRAM,
    HOG,
    IVH,
    LBP,
    MOMENTS,
    MORPHOLOGY,
    NGLDM,
    NGTDM,
    PART,
    PEAK,
    PLANAR,
    PROPS,
    STATISTICS,
    Feature,
)

Range = tuple[float | None, float | None]

_ANY: Range = (None, None)
_POSITIVE: Range = (0, None)
_SHARE: Range = (0, 1)
_ONE_UP: Range = (1, None)

# In the order of the names: emphasis of short, long, low, high, and of their pairs; non-uniformities; percentage;
# variances; entropy; energy.
_EMPHASES: tuple[Range, ...] = (
    _SHARE, _ONE_UP, _SHARE, _ONE_UP, _SHARE, _POSITIVE, _POSITIVE, _ONE_UP, _ONE_UP, _SHARE, _ONE_UP, _SHARE, _SHARE,
    _POSITIVE, _POSITIVE, _POSITIVE, _SHARE,
)  # fmt: skip
_MORPHOLOGY: tuple[Range, ...] = (
    _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, (0, 1 / (6 * math.pi)), _SHARE, _ONE_UP, _SHARE, _POSITIVE, _POSITIVE,
    _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, _SHARE, _SHARE, _SHARE, _POSITIVE, _POSITIVE, _POSITIVE, _SHARE,
    _POSITIVE, _ANY,
)  # fmt: skip
_STATISTICS: tuple[Range, ...] = (
    _ANY, _POSITIVE, _ANY, (-2, None), _ANY, _ANY, _ANY, _ANY, _ANY, _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE,
    _POSITIVE, _ANY, _ANY, _POSITIVE, _POSITIVE,
)  # fmt: skip
_HISTOGRAM: tuple[Range, ...] = (
    _ONE_UP, _POSITIVE, _ANY, (-2, None), _ONE_UP, _ONE_UP, _ONE_UP, _ONE_UP, _ONE_UP, _ONE_UP, _POSITIVE, _POSITIVE,
    _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, _SHARE, _POSITIVE, _SHARE, _ANY, _ONE_UP, _ANY, _ONE_UP,
)  # fmt: skip
_GLCM: tuple[Range, ...] = (
    _SHARE, _ONE_UP, _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE, (2, None), _POSITIVE, _POSITIVE, _SHARE,
    _POSITIVE, _POSITIVE, _SHARE, _SHARE, _SHARE, _SHARE, _SHARE, (-1, 1), _ONE_UP, _POSITIVE, _ANY, _POSITIVE, (-1, 0),
    _SHARE,
)  # fmt: skip
_PLANAR: tuple[Range, ...] = (*[_POSITIVE] * 7, _SHARE, _SHARE, _SHARE, _SHARE, _SHARE)
_PROPS: tuple[Range, ...] = (
    *[_POSITIVE] * 6, _SHARE, (-math.pi / 2, math.pi / 2), _POSITIVE, _ANY, _SHARE, _POSITIVE, _POSITIVE, _POSITIVE,
    _SHARE,
)  # fmt: skip
_MOMENTS: tuple[Range, ...] = (*[_POSITIVE] * 4, _ANY, _ANY, _ANY, *[_POSITIVE] * (len(MOMENTS) - 7))

# Table, section of the manual's chapter 3, numbers of its subsections, ranges.
_TABLES: tuple[tuple[tuple[Feature, ...], int, tuple[int, ...], tuple[Range, ...]], ...] = (
    (MORPHOLOGY, 1, (*range(1, 19), 21, 22, 25, 26, 27), _MORPHOLOGY),
    (ENCLOSURE, 1, (19, 20, 23, 24), (_SHARE, _POSITIVE, _SHARE, _POSITIVE)),
    (AUTOCORRELATION, 1, (28, 29), (_ANY, _POSITIVE)),
    (PEAK, 2, (1, 2), (_ANY, _ANY)),
    (STATISTICS, 3, tuple(range(1, 19)), _STATISTICS),
    (HISTOGRAM, 4, tuple(range(1, 24)), _HISTOGRAM),
    (IVH, 5, (1, 1, 2, 2, 3, 4, 5), (_SHARE, _SHARE, _ANY, _ANY, _SHARE, _POSITIVE, _SHARE)),
    (GLCM, 6, tuple(range(1, 26)), _GLCM),
    (GLRLM, 7, tuple(range(1, 17)), _EMPHASES[:16]),
    (GLSZM, 8, tuple(range(1, 17)), _EMPHASES[:16]),
    (GLDZM, 9, tuple(range(1, 17)), _EMPHASES[:16]),
    (NGTDM, 10, tuple(range(1, 6)), ((0, 1e6), _POSITIVE, _POSITIVE, _POSITIVE, _POSITIVE)),
    (NGLDM, 11, tuple(range(1, 18)), _EMPHASES),
)
SECTIONS: dict[str, str] = {
    feature.name: f"3.{chapter}.{number}"
    for table, chapter, numbers, _ in _TABLES
    for feature, number in zip(table, numbers, strict=True)
}
RANGES: dict[str, Range] = {
    **{feature.name: limits for table, _, _, ranges in _TABLES for feature, limits in zip(table, ranges, strict=True)},
    **{
        feature.name: limits
        for table, ranges in ((PLANAR, _PLANAR), (PROPS, _PROPS), (MOMENTS, _MOMENTS))
        for feature, limits in zip(table, ranges, strict=True)
    },
    **{feature.name: _POSITIVE for feature in (*FOURIER, *PART)},
    **{feature.name: _SHARE for feature in (*LBP, *HOG)},
}


def in_words(limits: Range) -> str:
    """A range as the documentation writes it.

    Examples
    --------
    >>> in_words((0, 1)), in_words((1, None)), in_words((None, None)), in_words((0, 1 / (6 * math.pi)))
    ('0 to 1', '1 and more', 'any', '0 to 0.0531')
    """
    low, high = limits
    if low is None:
        return "any"
    return f"{low:g} and more" if high is None else f"{low:g} to {high:.3g}"
