"""Figures: coordinates computed by hand, and markup that parses."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.report.figures import (
    Estimate,
    Line,
    agreement,
    bars,
    calibration,
    cloud,
    decision,
    fall,
    forest,
    histogram,
    roc,
    scatter,
)

DIAGONAL = Line("model", [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0)], colour=3)


def paths(svg: str, kind: str) -> list[str]:
    """Path data of a class."""
    return [p.get("d", "") for p in fromstring(svg).iter("path") if kind in p.get("class", "").split()]


def texts(svg: str) -> list[str]:
    """Texts of a figure."""
    return [t.text or "" for t in fromstring(svg).iter("text")]


def test_a_histogram_draws_its_highest_bar_to_the_top_and_skips_empty_ones() -> None:
    svg = histogram([1, 0, 2], 0, 3, title="t", width=126, height=86)
    # Inside 6..120 each bar is 38 wide less 1; the floor is at 68, the highest bar 64 high.
    assert paths(svg, "bar") == ["M6.5 36h37v32h-37zM82.5 4h37v64h-37z"]


def test_bars_are_proportional_and_labelled() -> None:
    svg = bars([("female", 10), ("male", 5)], title="sex")
    assert paths(svg, "bar") == ["M0 17h360v6h-360z", "M0 47h180v6h-180z"]
    assert texts(svg) == ["female", "10", "male", "5"]


def test_a_roc_curve_runs_from_the_lower_left_to_the_upper_right() -> None:
    svg = roc([DIAGONAL], title="ROC")
    # The plane spans 46..348 and 300..10.
    assert paths(svg, "s3") == ["M46 300L197 82.5L348 10"]
    assert "sensitivity" in texts(svg)


def test_points_in_one_place_are_drawn_once() -> None:
    dense = Line("m", [(k / 100_000, k / 100_000) for k in range(100_001)])
    (drawn,) = paths(roc([dense], title="ROC"), "line")
    assert drawn.count("L") < 6_100  # tenths of 302 by 290 units


def test_calibration_draws_an_interval_at_each_point_where_it_is_known() -> None:
    known = calibration([DIAGONAL], [[(0.0, 0.2), (0.5, 0.9), (0.8, 1.0)]], title="c")
    assert paths(known, "whisker") == ["M46 300V242M197 155V39M348 68V10"]
    assert paths(calibration([DIAGONAL], [None], title="c"), "whisker") == ["M46 300V300M197 82.5V82.5M348 10V10"]


def test_a_decision_curve_ends_where_it_falls_out_of_sight() -> None:
    falling = Line("everybody", [(0.1, 0.4), (0.5, 0.0), (0.9, -4.0)])
    (drawn,) = paths(decision([falling], title="d"), "line")
    assert drawn.count("L") == 1


def test_a_forest_plot_places_value_interval_and_reference() -> None:
    svg = forest([Estimate("a", "b", 0.75, 0.5, 1.0, 2)], title="f", low=0, high=1, reference=0.5)
    # The axis spans 8..352; the only row has its interval at 43.
    assert paths(svg, "interval") == ["M180 43L352 43"]
    assert paths(svg, "mark") == ["M262 39h8v8h-8z"]
    assert paths(svg, "guide") == ["M180 36L180 50"]
    assert texts(svg)[-2:] == ["a", "b"]


def test_an_estimate_without_interval_is_a_point() -> None:
    assert not paths(forest([Estimate("a", "", 0.7, None, None)], title="f", low=0, high=1, reference=0.5), "interval")


HOSTILE = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)


@settings(max_examples=40)
@given(label=HOSTILE, counts=st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_figures_are_well_formed_whatever_they_are_given(label: str, counts: Sequence[int]) -> None:
    for svg in (
        histogram(counts, -1, 1, title=label),
        bars([(label, n) for n in counts], title=label),
        forest([Estimate(label, label, 0.5, 0.2, 0.8)], title=label, low=0, high=1, reference=0),
    ):
        assert fromstring(svg).find("title") is not None
        assert not re.search(r"nan|inf", re.sub(r"<t[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", svg))


@pytest.mark.parametrize("counts", [[0], [0, 0, 0]])
def test_a_histogram_of_nothing_has_no_bars(counts: list[int]) -> None:
    assert paths(histogram(counts, 0, 1, title="t"), "bar") == [""]


def test_points_lie_on_equal_axes_and_limits_of_agreement_are_drawn() -> None:
    points = [(1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]
    square = scatter(points, title="t", across="truth", up="prediction")
    assert square.count("<circle") == 3
    found = agreement(points, title="t")
    assert found.count("line s1") == 3
    assert found.count("dashed") == 2
    assert agreement([(1.0, 1.0)], title="one").count("<circle") == 1


def test_a_falling_answer_has_its_own_axis_for_values() -> None:
    lines = [Line("map", [(0, 0.0), (1, -3.0)])]
    assert ">change<" in fall(lines, title="t", value=True)
    assert ">probability<" in fall([Line("map", [(0, 0.9), (1, 0.1)])], title="t")


def test_a_case_far_away_lies_on_the_rim_and_presses_nobody_together() -> None:
    crowd = [(k / 10, k / 10) for k in range(100)]
    drawn = fromstring(cloud([Line("a", [*crowd, (1e6, 5.0)])], title="t", across="x", up="y"))
    across = sorted(float(dot.get("cx", "0")) for dot in drawn.iter("circle"))
    assert across[-2] - across[0] > 100
    assert across[-1] == 350 - 2


def test_groups_are_points_in_their_colours() -> None:
    drawn = cloud([Line("a", [(0, 0), (1, 1)], 0), Line("b", [(5, 5)], 3)], title="t", across="x", up="y")
    assert (drawn.count("dot s0"), drawn.count("dot s3")) == (2, 1)
    assert '<path class="line' not in drawn
