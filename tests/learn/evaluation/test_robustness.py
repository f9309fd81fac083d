"""Pictures made worse by a known amount, and models that bear it or do not."""

from __future__ import annotations

import numpy as np
import pytest

from radlake.learn.evaluation.robustness import LEVELS, robustness, worse


def pictures(dtype: str = "uint8") -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.random((20, 16, 16)) * 200).astype(dtype)


def test_a_shift_moves_every_pixel_by_as_much() -> None:
    before = pictures()
    after = worse(before, "shift", 2, rng=np.random.default_rng(1))
    for a, b in zip(before, after, strict=True):
        moves = [np.roll(a, m, axis=axis)[4:-4, 4:-4] for axis in (0, 1) for m in (-2, 2)]
        assert any(np.array_equal(b[4:-4, 4:-4], m) for m in moves)


def test_noise_has_the_strength_it_was_asked_for() -> None:
    before = np.zeros((4, 64, 64), dtype=np.float32)
    before[:, 0, 0], before[:, 0, 1] = -100.0, 100.0  # the range is 200
    after = worse(before, "noise", 0.05, rng=np.random.default_rng(0))
    assert float((after - before)[:, 1:].std()) == pytest.approx(10.0, rel=0.03)
    assert after.dtype == np.float32


@pytest.mark.parametrize("kind", ["noise", "blur", "shift"])
def test_type_range_and_input_stay(kind: str) -> None:
    before = pictures("int16")
    kept = before.copy()
    after = worse(before, kind, LEVELS[kind][-1], rng=np.random.default_rng(0))  # type: ignore[arg-type,index]
    assert after.dtype == before.dtype
    assert after.min() >= before.min()
    assert after.max() <= before.max()
    np.testing.assert_array_equal(before, kept)


def test_a_mean_bears_shifts_and_a_pixel_does_not() -> None:
    def one_pixel(given: np.ndarray) -> np.ndarray:
        p = (given[:, 8, 8] > 100).astype(float)
        return np.stack([1 - p, p], axis=1)

    def constant(given: np.ndarray) -> np.ndarray:
        return np.full((len(given), 2), 0.5)

    truth = one_pixel(pictures())
    fragile = robustness(one_pixel, pictures(), lambda p: float((p.argmax(1) == truth.argmax(1)).mean()))
    assert [b.score for b in fragile if b.level == 0] == [1.0, 1.0, 1.0]
    assert min(b.score for b in fragile if b.kind == "shift") < 0.9
    assert all(b.change == 0 for b in robustness(constant, pictures(), lambda p: 0.0))
