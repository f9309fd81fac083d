"""Budgets: read, kept, recorded, replayed."""

from __future__ import annotations

import pytest

from radlake.core.errors import UsageError
from radlake.learn.clock import Clock, Plan, seconds


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("10m", 600), ("1h", 3600), (2.5, 2.5), ("7", 7)])
def test_budgets_are_read(text: str | float, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "-3s", "ten", "3d", "nan", "1e3"])
def test_other_budgets_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="90s, 10m or 1h"):
        seconds(text)


def test_work_that_does_not_fit_is_refused_and_not_recorded() -> None:
    clock = Clock(100.0)
    assert clock.allows("small", needs=10, until=0.5)
    assert not clock.allows("large", needs=60, until=0.5)
    assert clock.allows("large", needs=60, until=1.0)
    assert clock.done == ["small", "large"]


def test_a_replay_looks_at_no_time() -> None:
    plan = Plan("digest", {"seed": 1}, ("a",))
    clock = Clock(1e-9, Plan(**plan.as_dict()))
    assert clock.allows("a", needs=1e9, until=0.0)
    assert not clock.allows("b", needs=0.0, until=1.0)
