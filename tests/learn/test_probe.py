"""What families cost: seconds and memory, and what is left out for want of either."""

from __future__ import annotations

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from radlake.learn.clock import Clock, Plan
from radlake.learn.families import FAMILIES
from radlake.learn.probe import extrapolated, probe
from tests.learn.test_search import cases

GIB = 1 << 30
FEW = {name: FAMILIES[name] for name in ("logistic", "neighbours")}


def test_costs_are_probed_and_the_clock_is_asked() -> None:
    given = cases()
    costs, refused = probe(FEW, given, Clock(1e6), until=0.5, seed=0, memory_bytes=GIB)
    assert set(costs) == set(FEW)
    assert all(cost.seconds > 0 for cost in costs.values())
    assert costs["neighbours"].bytes > costs["logistic"].bytes > 5 * given.features.nbytes  # it stores the cases
    assert not refused
    nothing, refused = probe(FEW, given, Clock(1e-9), until=0.5, seed=0, memory_bytes=GIB)
    assert not nothing
    assert set(refused) == set(FEW)


def test_what_does_not_fit_into_memory_is_left_out_and_a_replay_leaves_out_the_same() -> None:
    given, clock = cases(), Clock(1e6)
    _, refused = probe(FEW, given, clock, until=0.5, seed=0, memory_bytes=1)
    assert set(refused) == set(FEW)
    assert "GiB" in refused["logistic"]
    plan = Plan("", {}, tuple(clock.done))
    _, again = probe(FEW, given, Clock(1e6, plan), until=0.5, seed=0, memory_bytes=GIB)
    assert set(again) == set(FEW)


@generated(start=st.floats(0, 10), rate=st.floats(0.01, 10))
def test_a_start_and_what_grows_are_told_apart(start: float, rate: float) -> None:
    found = extrapolated([0.1, 0.2], [start + 0.1 * rate, start + 0.2 * rate])
    assert found == pytest.approx(max(start + rate, (start + 0.2 * rate) / 0.2 / 4))
