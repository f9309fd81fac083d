"""Figures as inline SVG: numbers in, text out. Colours and fonts come from the page's style sheet by class.

Each figure has a title, which screen readers speak. Series are told apart by colour and by dashes, so that the page
can be printed in black and white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radlake.report.axes import Scale, block, line, picture, place, text, tick_label, ticks

_WIDTH = 360.0
_ROW = 52.0  # two lines of text and an interval
_TOP, _RIGHT, _BOTTOM, _LEFT = 10.0, 12.0, 40.0, 46.0  # room for tick labels and axis titles


@dataclass(frozen=True)
class Line:
    """Points joined by a line.

    Parameters
    ----------
    name : str
        What it stands for; the legend is the page's.
    points : sequence of (x, y)
    colour : int
        Number of the series' colour.
    dashed : bool
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: bool = False


@dataclass(frozen=True)
class Estimate:
    """A value with its interval under two lines of text; `low` and `high` are None where the interval is not known."""

    label: str
    detail: str
    value: float
    low: float | None
    high: float | None
    colour: int = 0


def histogram(
    counts: Sequence[int], low: float, high: float, *, title: str, width: float = 240.0, height: float = 84.0
) -> str:
    """Bars of equal width from `low` to `high`; the highest fills the figure.

    Examples
    --------
    >>> svg = histogram([1, 2], 0, 10, title="ages")
    >>> "ages" in svg and svg.count("<text") == 3
    True
    """
    floor, left, right = height - 18, 6.0, width - 6
    across, top = Scale(low, high, left, right), max([*counts, 1])
    step = (right - left) / len(counts)
    bars = "".join(
        block(left + k * step + 0.5, floor - n / top * (floor - 4), step - 1, n / top * (floor - 4))
        for k, n in enumerate(counts)
        if n
    )
    marks = [text(across(v), height - 4, tick_label(v), anchor=_anchor(across(v), width)) for v in ticks(low, high, 4)]
    return picture(
        width, height, title, [f'<path class="bar" d="{bars}"/>', line(left, floor, right, floor, "axis"), *marks]
    )


def bars(rows: Sequence[tuple[str, int]], *, title: str) -> str:
    """Horizontal bars with a label over each and its count beside it."""
    step, top = 30.0, max([*(n for _, n in rows), 1])
    parts = []
    for k, (label, n) in enumerate(rows):
        y = k * step
        parts += [
            text(0, y + 12, label),
            text(_WIDTH, y + 12, f"{n:,}", anchor="end", kind="value"),
            f'<path class="track" d="{block(0, y + 17, _WIDTH, 6)}"/>',
            f'<path class="bar" d="{block(0, y + 17, n / top * _WIDTH, 6)}"/>',
        ]
    return picture(_WIDTH, max(step * len(rows), 1), title, parts)


def roc(lines: Sequence[Line], *, title: str) -> str:
    """ROC curves over the diagonal of chance.

    Examples
    --------
    >>> svg = roc([Line("model", [(0, 0), (0, 1), (1, 1)])], title="ROC")
    >>> 'd="M46 300L46 10L348 10"' in svg
    True
    """
    x, y = _plane((0, 1), (0, 1), 340)
    chance = line(x(0), y(0), x(1), y(1), "guide")
    frame = _frame(x, y, "share of false alarms (1 − specificity)", "sensitivity")
    return picture(_WIDTH, 340, title, [*frame, chance, *(_polyline(c, x, y) for c in lines)])


def calibration(lines: Sequence[Line], intervals: Sequence[Sequence[tuple[float, float]] | None], *, title: str) -> str:
    """Predicted against observed share of positives, with an interval at each point where it is known."""
    x, y = _plane((0, 1), (0, 1), 340)
    parts = [*_frame(x, y, "predicted probability", "observed share"), line(x(0), y(0), x(1), y(1), "guide")]
    for shown, known in zip(lines, intervals, strict=True):
        ends = known or [(v, v) for _, v in shown.points]
        whiskers = "".join(
            f"M{place(x(u))} {place(y(low))}V{place(y(high))}"
            for (u, _), (low, high) in zip(shown.points, ends, strict=True)
        )
        parts.append(f'<path class="whisker s{shown.colour}" d="{whiskers}"/>')
        parts.append(_polyline(shown, x, y))
        parts += [_dot(x(u), y(v), shown.colour) for u, v in shown.points]
    return picture(_WIDTH, 340, title, parts)


def decision(lines: Sequence[Line], *, title: str) -> str:
    """Net benefit over the threshold at which one would act; acting on nobody is the line at zero."""
    top = max([0.01, *(v for c in lines for _, v in c.points)])
    x, y = _plane((0, 1), (-0.15 * top, 1.05 * top), 340)
    frame = _frame(x, y, "threshold probability", "net benefit")
    nobody = line(x(0), y(0), x(1), y(0), "guide")
    shown = (_polyline(c, x, y, floor=-0.15 * top) for c in lines)
    return picture(_WIDTH, 340, title, [*frame, nobody, *shown])


def forest(rows: Sequence[Estimate], *, title: str, low: float, high: float, reference: float) -> str:
    """Estimates with intervals under one another, and a line at the value of no effect.

    Parameters
    ----------
    rows : sequence of Estimate
    title : str
    low, high : float
        Ends of the axis.
    reference : float
        For example 0.5 for an AUC, 0 for a difference.
    """
    floor = _ROW * len(rows) + 4
    x = Scale(low, high, 8, _WIDTH - 8)
    marks = ticks(low, high, 6)
    parts = [text(x(v), floor + 16, tick_label(v), anchor=_anchor(x(v), _WIDTH), kind="tick") for v in marks]
    for k, row in enumerate(rows):
        top, middle = k * _ROW, k * _ROW + 43
        # Lines only where the interval is, so that they do not cross the words.
        parts += [line(x(v), middle - 7, x(v), middle + 7, "grid") for v in marks]
        parts.append(line(x(reference), middle - 7, x(reference), middle + 7, "guide"))
        parts += [text(0, top + 17, row.label), text(0, top + 31, row.detail, kind="value")]
        if row.low is not None and row.high is not None:
            parts.append(line(x(row.low), middle, x(row.high), middle, f"interval s{row.colour}"))
        parts.append(f'<path class="mark s{row.colour}" d="{block(x(row.value) - 4, middle - 4, 8, 8)}"/>')
    return picture(_WIDTH, floor + 22, title, parts)


def dependence(shown: Line, *, title: str, across: str, up: str = "mean answer") -> str:
    """One line over the values of a measure, on axes that just hold it."""
    u, v = ([p[i] for p in shown.points] for i in (0, 1))
    room = 0.08 * (max(v) - min(v)) or 0.05
    x, y = _plane((min(u), max(u) if max(u) > min(u) else min(u) + 1), (min(v) - room, max(v) + room), 240)
    return picture(_WIDTH, 240, title, [*_frame(x, y, across, up), _polyline(shown, x, y)])


def scatter(points: Sequence[Sequence[float]], *, title: str, across: str, up: str) -> str:
    """A point for each case on equal axes, with the diagonal."""
    reach = _reach([v for point in points for v in point])
    x, y = _plane(reach, reach, 340)
    diagonal = line(x(reach[0]), y(reach[0]), x(reach[1]), y(reach[1]), "guide")
    cloud = [_dot(x(u), y(v), 0) for u, v in points]
    return picture(_WIDTH, 340, title, [*_frame(x, y, across, up), diagonal, *cloud])


def cloud(groups: Sequence[Line], *, title: str, across: str, up: str) -> str:
    """Cases as points in the colours of their groups; those far away from all others lie on the rim."""
    points = [p for group in groups for p in group.points]
    x, y = _plane(_bulk([u for u, _ in points]), _bulk([v for _, v in points]), 340)
    drawn = [_dot(x(u), y(v), group.colour) for group in groups for u, v in group.points]
    return picture(_WIDTH, 340, title, [*_frame(x, y, across, up), *drawn])


def agreement(points: Sequence[Sequence[float]], *, title: str) -> str:
    """Differences of two measurements over their means, with the mean difference and the limits of agreement.

    References
    ----------
    Bland and Altman (1986), Statistical methods for assessing agreement between two methods of clinical measurement,
    Lancet 327, 307-310.
    """
    middle = [(truth + said) / 2 for truth, said in points]
    gap = [said - truth for truth, said in points]
    mean = sum(gap) / len(gap)
    spread = (sum((g - mean) ** 2 for g in gap) / max(len(gap) - 1, 1)) ** 0.5
    limits = (mean - 1.96 * spread, mean, mean + 1.96 * spread)
    x, y = _plane(_reach(middle), _reach([*gap, *limits]), 340)
    lines = [_polyline(Line("", [(x.low, v), (x.high, v)], 1, dashed=k != 1), x, y) for k, v in enumerate(limits)]
    cloud = [_dot(x(u), y(v), 0) for u, v in zip(middle, gap, strict=True)]
    return picture(_WIDTH, 340, title, [*_frame(x, y, "mean of prediction and truth", "difference"), *cloud, *lines])


def fall(lines: Sequence[Line], *, title: str, value: bool = False) -> str:
    """Answers while more and more of a picture is removed, from nothing to everything.

    Parameters
    ----------
    lines : sequence of Line
    title : str
    value : bool
        Whether the answer is a value, told as its distance from what it was, and not a probability.
    """
    heights = [v for shown in lines for _, v in shown.points]
    low, high = (min([*heights, -1e-9]), 0.0) if value else (0.0, 1.0)
    width, height = 220.0, 150.0  # small: it stands under a map
    x, y = Scale(0, 1, _LEFT, width - _RIGHT), Scale(low, high, height - _BOTTOM, _TOP)
    frame = _frame(x, y, "share removed", "change" if value else "probability", most=3)
    return picture(width, height, title, [*frame, *(_polyline(c, x, y) for c in lines)])


def _reach(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis that just holds some values."""
    room = 0.05 * (max(values) - min(values)) or 0.5
    return min(values) - room, max(values) + room


def _bulk(values: Sequence[float]) -> tuple[float, float]:
    """Ends of an axis that holds all values but those that would press the others together."""
    order = sorted(values)
    low, high = order[len(order) // 50], order[-1 - len(order) // 50]
    room = high - low or 1.0
    return _reach([max(order[0], low - room), min(order[-1], high + room)])


def _plane(across: tuple[float, float], up: tuple[float, float], height: float) -> tuple[Scale, Scale]:
    """Scales of a chart with room for its axes."""
    return Scale(*across, _LEFT, _WIDTH - _RIGHT), Scale(*up, height - _BOTTOM, _TOP)


def _frame(x: Scale, y: Scale, below: str, beside: str, *, most: int = 5) -> list[str]:
    """Grid lines, tick labels (so many at most) and axis titles."""
    parts = []
    for v in ticks(x.low, x.high, most):
        parts += [
            line(x(v), y.start, x(v), y.end, "grid"),
            text(x(v), y.start + 15, tick_label(v), anchor="middle", kind="tick"),
        ]
    for v in ticks(y.low, y.high, most):
        parts += [
            line(x.start, y(v), x.end, y(v), "grid"),
            text(x.start - 6, y(v) + 4, tick_label(v), anchor="end", kind="tick"),
        ]
    middle = (y.start + y.end) / 2
    parts.append(text((x.start + x.end) / 2, y.start + 34, below, anchor="middle"))
    parts.append(f'<text transform="translate(10 {place(middle)}) rotate(-90)" text-anchor="middle">{beside}</text>')
    return parts


def _polyline(shown: Line, x: Scale, y: Scale, *, floor: float | None = None) -> str:
    """A line through its points; it ends where it falls below `floor`. Points in one place are drawn once."""
    points: list[str] = []
    for u, v in shown.points:
        if floor is not None and v < floor:
            break
        at = f"{place(x(u))} {place(y(v))}"
        if not points or points[-1] != at:
            points.append(at)
    dashes = " dashed" if shown.dashed else ""
    return f'<path class="line s{shown.colour}{dashes}" d="M{"L".join(points)}"/>' if points else ""


def _dot(x: float, y: float, colour: int) -> str:
    """A point of a curve."""
    return f'<circle class="dot s{colour}" cx="{place(x)}" cy="{place(y)}" r="3"/>'


def _anchor(x: float, width: float) -> str:
    """Text near an edge grows inward."""
    return "start" if x < 0.08 * width else "end" if x > 0.92 * width else "middle"
