"""The learning rate: by torch's own schedules, and within its bounds."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from radlake.learn.deep.rates import one_cycle, stepped


def test_the_rate_rises_and_falls_like_torchs_own() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=101, final_div_factor=400)
    top = 0.3 * 101 - 1  # the step at which theirs is highest; its last step is at the end of the fall, ours before it
    for step in range(101):
        share = 0.3 * step / top if step < top else 0.3 + 0.7 * (step - top) / (100 - top)
        assert one_cycle(share, 1, 0.5) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        if step < 100:
            theirs.step()


@given(st.integers(1, 500), st.floats(1e-5, 1))
def test_the_rate_is_never_above_its_peak_and_ends_low(steps: int, peak: float) -> None:
    rates = [one_cycle(step, steps, peak) for step in range(steps)]
    assert max(rates) <= peak
    assert min(rates) > 0
    assert rates[0] == pytest.approx(peak / 25)
    assert math.isclose(one_cycle(steps, steps, peak), peak * 1e-4, rel_tol=1e-6)


def test_the_rate_falls_in_steps_like_torchs_own() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    theirs = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[50, 75], gamma=0.1)
    for epoch in range(100):
        assert stepped(epoch, 100, 1e-3) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        theirs.step()
