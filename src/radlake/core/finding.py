"""A report of one quality check. Checks report; they never raise for what they find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """What a check saw.

    Parameters
    ----------
    check : str
        Name of the check, a key of `radlake.quality.CHECKS`.
    level : {"info", "warning", "error"}
        error: numbers from this image are not to be trusted; warning: look at it; info: worth knowing.
    message : str
        What was expected and what came, in numbers; no value that could identify anybody.
    fix : str
        What to do.
    value : float or None
        The measured quantity, in the unit that the message names.
    """

    check: str
    level: Level
    message: str
    fix: str
    value: float | None = None
