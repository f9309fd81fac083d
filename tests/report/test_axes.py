"""Scales and ticks."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.report.axes import Scale, block, picture, place, text, tick_label, ticks


def test_a_scale_maps_its_ends_and_holds_values_beyond_them() -> None:
    scale = Scale(10.0, 20.0, 0.0, 100.0)
    assert [scale(v) for v in (10, 12.5, 20, 5, 99)] == [0, 25, 100, 0, 100]


@settings(max_examples=60)
@given(shift=st.floats(-100, 100), width=st.floats(1e-200, 1e200), most=st.integers(2, 8))
def test_ticks_are_few_even_and_inside(shift: float, width: float, most: int) -> None:
    low, high = shift * width, (shift + 1) * width
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most
    slack = 1e-6 * width
    assert all(low - slack <= v <= high + slack for v in found)
    gaps = [b - a for a, b in pairwise(found)]
    assert all(math.isclose(g, gaps[0], rel_tol=1e-6) for g in gaps)


def test_a_range_without_width_has_one_tick() -> None:
    assert ticks(3.0, 3.0) == [3.0]
    assert ticks(0.0, 5e-324) == [0.0]


def test_tick_labels_are_short() -> None:
    assert [tick_label(v) for v in (0.0, 1e-6, 1234.0, 98765.0)] == ["0", "1e-6".replace("-", "−"), "1234", "98.77k"]


def test_pieces_of_a_picture_are_escaped_and_rounded() -> None:
    assert text(1, 2, "<b>", anchor="end") == '<text x="1" y="2" text-anchor="end">&lt;b&gt;</text>'
    assert picture(10, 5.55, 'a"b', ["x"]) == (
        '<svg viewBox="0 0 10 5.5" role="img" aria-label="a&quot;b"><title>a&quot;b</title>x</svg>'
    )
    assert block(1, 2, 3, 4) == "M1 2h3v4h-3z"
    assert place(-0.04) == "0"
