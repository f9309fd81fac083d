"""The pieces of the training loop against values by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.learn.deep.trainer import class_weights, one_cycle


def test_the_rate_rises_and_falls_like_torchs_own() -> None:
    import torch

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=101, final_div_factor=400)
    for step in range(101):
        # theirs reaches peak and end one step earlier: its last step is counted among those that fall
        assert one_cycle(step, 101, 0.5) == pytest.approx(theirs.get_last_lr()[0], abs=0.012)
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


def test_rare_classes_weigh_more() -> None:
    y = np.array([0, 0, 0, 1])
    assert class_weights(y, 2).tolist() == [4 / 6, 2.0]
    assert class_weights(y, 2)[y].mean() == pytest.approx(1)
