"""What a time budget decides, and the record of it: the same decisions again give the same bits.

A search asks the clock before each piece of work. What was allowed is the plan; a clock that replays a plan looks at no
time at all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from radlake.core.errors import UsageError

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(budget: str | float) -> float:
    """Seconds of a budget like "90s", "10m", "1.5h" or 90.

    Raises
    ------
    UsageError
        When it is none of these, or not positive.

    Examples
    --------
    >>> seconds("1.5m")
    90.0
    """
    if isinstance(budget, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", budget.strip())
        value = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    else:
        value = float(budget)
    if not 0 < value < float("inf"):
        raise UsageError("budget must be a positive time such as 90s, 10m or 1h")
    return value


@dataclass(frozen=True)
class Plan:
    """What the clock allowed, and what else decides the result beside the data.

    Parameters
    ----------
    digest : str
        SHA-256 of the data.
    design : mapping
        Options of the search: names to JSON values.
    done : tuple of str
        Pieces of work that were done.
    """

    digest: str
    design: Mapping[str, Any]
    done: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types; `Plan(**plan.as_dict())` is the plan again."""
        return {"digest": self.digest, "design": dict(self.design), "done": list(self.done)}


@dataclass(eq=False)
class Clock:
    """Allows pieces of work while there is time.

    Parameters
    ----------
    budget : float
        Seconds from now.
    replay : Plan, optional
        Allow what it allowed, whatever the time.
    tell : callable, optional
        Given the seconds that are gone and those there are, now and then.
    """

    budget: float
    replay: Plan | None = None
    tell: Callable[[float, float], None] | None = None
    done: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._allowed = frozenset(self.replay.done) if self.replay else None
        self._before: frozenset[str] = frozenset()
        self._earlier = 0.0

    def go_on(self, allowed: frozenset[str], elapsed: float) -> None:
        """Go on from an earlier run that was ended: what it allowed is allowed, and its seconds count.

        Of several records of one run, such as those of its views and of its search, the longest counts.
        """
        self._before |= allowed
        self.started -= max(0.0, elapsed - self._earlier)
        self._earlier = max(self._earlier, elapsed)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def share(self) -> float:
        """Share of the budget that is gone."""
        return self.elapsed / self.budget

    def first(self, options: Sequence[tuple[str, float]], *, until: float) -> int | None:
        """Place of the first piece of work that is allowed, which is noted; None where none is.

        Parameters
        ----------
        options : sequence of (name, expected seconds)
        until : float
            As in `allows`.
        """
        places = sorted(range(len(options)), key=lambda i: options[i][0] not in self._before)
        return next((i for i in places if self.allows(options[i][0], needs=options[i][1], until=until)), None)

    def say(self) -> None:
        """Tell whoever wants to know how late it is."""
        if self.tell is not None:
            self.tell(self.elapsed, self.budget)

    def forget(self, works: Iterable[str]) -> None:
        """Take back what was allowed and did not end."""
        gone = set(works)
        self.done = [work for work in self.done if work not in gone]

    def notes(self, decision: str, *, holds: bool) -> bool:
        """Whether something holds that was measured here, such as too little memory, and note it if so.

        Parameters
        ----------
        decision : str
            Its name, the same in every run.
        holds : bool
            What this run found; a plan that is replayed, or an earlier run that this one goes on from, decides instead.
        """
        holds = decision in self._allowed if self._allowed is not None else holds or decision in self._before
        if holds:
            self.done.append(decision)
        return holds

    def allows(self, work: str, *, needs: float, until: float) -> bool:
        """Whether a piece of work can be done before a share of the budget is gone, and note it if so.

        Parameters
        ----------
        work : str
            Its name, the same in every run.
        needs : float
            Expected seconds.
        until : float
            Share of the budget, 0 to 1.
        """
        self.say()
        if self._allowed is not None:
            fits = work in self._allowed
        else:
            fits = work in self._before or self.elapsed + needs <= until * self.budget
        if fits:
            self.done.append(work)
        return fits
