"""Scales, round ticks and the pieces of SVG that every figure is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A linear way from values to the picture's units.

    Parameters
    ----------
    low, high : float
        Values at the ends; `high` must be above `low`.
    start, end : float
        Their places; `end` may lie before `start`, as on a vertical axis.

    Examples
    --------
    >>> Scale(0.0, 10.0, 100.0, 0.0)(2.5)
    75.0
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place of a value; values beyond an end are put on it."""
        inside = min(max(value, self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values inside a range: multiples of 1, 2, 2.5 or 5 times a power of ten, at most `most` of them.

    Examples
    --------
    >>> ticks(0, 1), ticks(-3, 52)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 20.0, 40.0])
    """
    width = (high - low) / most
    if not 1e-290 < width < math.inf:  # nothing, or too narrow for a step of its own
        return [low]
    exponent = math.floor(math.log10(width))
    power = 10.0**exponent
    for step in (power * s for s in (*_STEPS, *(10 * s for s in _STEPS))):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(k * step, 3 - exponent) + 0.0 for k in range(first, last + 1)] or [low]
    return [low]


def tick_label(value: float) -> str:
    """A short number for an axis.

    Examples
    --------
    >>> [tick_label(v) for v in (0.25, 12000.0, 2500000.0, 3e12, -50.0)]
    ['0.25', '12k', '2.5M', '3e12', '−50']
    """
    size = abs(value)
    if size >= 1e9 or 0 < size < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        text = f"{float(mantissa):g}e{int(exponent)}"
    elif size >= 1e6:
        text = f"{value / 1e6:.4g}M"
    elif size >= 1e4:
        text = f"{value / 1e3:.4g}k"
    else:
        text = f"{value:.4g}"
    return text.replace("-", "−")


def place(value: float) -> str:
    """A coordinate with one decimal at most.

    Examples
    --------
    >>> place(3.0), place(2.26), place(-0.01)
    ('3', '2.3', '0')
    """
    return f"{round(value, 1) + 0.0:g}"


def picture(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """An SVG element that scales with its box and says what it shows."""
    name = escape(title)
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {place(width)} {place(height)}" role="img" aria-label="{name}">'
        f"<title>{name}</title>{body}</svg>"
    )


def text(x: float, y: float, content: str, *, anchor: str = "start", kind: str = "") -> str:
    """A line of text; `kind` is a class of the style sheet."""
    style = f' class="{kind}"' if kind else ""
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{place(x)}" y="{place(y)}"{where}{style}>{escape(content)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<path class="{kind}" d="M{place(x1)} {place(y1)}L{place(x2)} {place(y2)}"/>'


def block(x: float, y: float, width: float, height: float) -> str:
    """Path data of a rectangle."""
    return f"M{place(x)} {place(y)}h{place(width)}v{place(height)}h{place(-width)}z"
