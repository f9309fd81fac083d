"""The account of trained models: of features with and without a test part, and of images under worse pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from radlake.learn.account import account
from radlake.learn.cases import Cohort
from radlake.learn.evaluation.robustness import robustness
from radlake.learn.evaluation.scores import Answered
from radlake.learn.training import Trained, attributes


def test_a_trained_model_accounts_for_itself_in_json(trained: Trained) -> None:
    found = json.loads(json.dumps(trained.bundle.evidence))
    assert found["flow"][0]["n"] == 120
    assert set(found["drawn"]) == set(found["worst"]) == {"evaluation"}
    assert found["classes"] == [0, 1]
    assert {line["name"] for line in found["table_one"]} >= {"sex", "age_years"}
    assert set(found["table_one"][0]["parts"]) == {"0", "1"}
    assert found["conformal"]["coverage"] == 0.9
    assert len(found["seeds"]) == 1
    assert "robustness" not in found


@pytest.mark.parametrize("held", [True, False])
def test_models_of_images_are_tried_on_worse_pictures(trained: Trained, held: bool) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    pixels = rng.normal(size=(60, 8, 8, 3)) + 3 * y[:, None, None, None]
    cases = replace(
        trained.cases.part(np.arange(120) < 60), features=pixels, names=(), y=y,
        roles=np.array(["test" if held and i > 19 else "train" for i in range(60)]),
    )  # fmt: skip

    def predicted(model: Any, pictures: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-np.mean(pictures, axis=(1, 2, 3)) + 1.5))
        return np.stack([1 - p, p], axis=1)

    tested = _answered(cases, predicted) if held else None
    found = account(
        trained.choice, cases, attributes(cases), honest=None, tested=tested, predicted=predicted, seed=0
    )["robustness"]  # fmt: skip
    assert (found["pictures"], found["unseen"]) == (40 if held else 60, held)
    rows = {(r["kind"], r["level"]): r for r in found["rows"]}
    assert rows["noise", 0.0]["change"] == 0.0
    assert rows["noise", 0.1]["change"] > rows["noise", 0.02]["change"] > 0
    assert (rows["blur", 0.0]["score"] is None) != held


def _answered(cases: Cohort, predicted: Any) -> Answered:
    chosen = cases.roles == "test"
    return Answered("binary", cases.y[chosen], predicted(None, cases.features[chosen])[None], np.arange(chosen.sum()))


def test_a_slow_model_is_not_tried(trained: Trained) -> None:
    slow = replace(trained.choice, table=(replace(trained.choice.table[0], predict_ms=1000.0),))
    pictures = replace(trained.cases, features=np.zeros((120, 8, 8)), names=())
    found = account(slow, pictures, {}, honest=None, tested=None, predicted=lambda *_: np.zeros(0), seed=0)
    assert found["robustness"] is None


def test_colours_move_together_and_mixed_sizes_stay() -> None:
    rng = np.random.default_rng(1)
    grey = rng.normal(size=(6, 9, 9))
    colour = np.repeat(grey[..., None], 3, axis=-1)
    mixed = np.empty(2, dtype=object)
    mixed[0], mixed[1] = grey[0], grey[1, :7]
    seen: list[Any] = []

    def predict(pictures: np.ndarray) -> np.ndarray:
        seen.append(pictures)
        return np.zeros((len(pictures), 2))

    robustness(predict, colour, lambda p: 0.0, kinds=("shift",))
    assert all((p[..., 0] == p[..., 2]).all() for p in seen)
    seen.clear()
    robustness(predict, mixed, lambda p: 0.0)
    assert all([p[0].shape, p[1].shape] == [(9, 9), (7, 9)] for p in seen)
