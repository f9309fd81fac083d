"""The whole choice on real images: honest, replayable, saved, and clear when it cannot be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from radlake import learn
from radlake.core.errors import UsageError
from radlake.learn.bundle import load
from radlake.learn.clock import Plan
from radlake.learn.deep import families, folds, rounds, selection


def real(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's digits 0 and 8."""
    x, y = load_digits(return_X_y=True)
    chosen = np.isin(y, (0, 8))
    return x[chosen].reshape(-1, 8, 8)[:n], y[chosen][:n]


@pytest.fixture(scope="module")
def classical() -> tuple[np.ndarray, np.ndarray, learn.Choice]:
    x, y = real()
    models = ["hog-logistic", "hog-svm"]
    return x, y, learn.select(x, y, models=models, folds=3, repeats=2, budget="30m")


@pytest.fixture(scope="module", autouse=True)
def few_epochs() -> Iterator[None]:
    """Eight epochs are enough to see whether all hangs together."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(families, "_EPOCHS", (4, 8))
        yield


@pytest.fixture(scope="module")
def network(few_epochs: None) -> tuple[np.ndarray, np.ndarray, learn.Choice]:
    x, y = real()
    return x, y, learn.select(x, y, models=["cnn-small"], folds=3, repeats=1, budget="30m", outer=False)


@pytest.mark.parametrize("name", ["hog-logistic", "cnn-small"])
def test_models_that_do_not_fit_into_memory_are_left_out_with_the_reason(name: str) -> None:
    x, y = real(60)
    large = np.kron(x, np.ones((1, 8, 8))) if name == "cnn-small" else x
    with pytest.raises(UsageError, match=f"no model is left to try on 60 images .*{name}: .*GiB of memory"):
        learn.select(large, y, models=[name], folds=3, memory_bytes=1)


def test_a_readable_model_is_chosen_and_its_honest_score_is_told(classical: tuple[Any, Any, learn.Choice]) -> None:
    _, _, choice = classical
    assert choice.table[0].family == "hog-logistic"
    assert choice.table[0].repeats == 2
    assert choice.honest is not None
    assert choice.honest.score > 0.95
    assert len(choice.picks) == 3
    assert "regression on edges and textures was chosen" in choice.reason
    assert "3 repetitions of the choice took" in choice.reason
    assert [line.why for line in choice.table if line.mean is None][:1] == ["it was not asked for"]
    assert choice.expectation.endswith(".")
    assert choice.contract is not None
    assert choice.contract["axes"] == "yx"


def test_networks_of_the_folds_answer_together(network: tuple[Any, Any, learn.Choice]) -> None:
    x, y, choice = network
    assert choice.table[0].settings["epochs"] == 8
    assert choice.table[0].mean is not None
    assert choice.table[0].mean > 0.9
    assert len(choice.model.pipeline.models) == 3
    assert (choice.model.predict(x) == y).mean() > 0.9
    assert choice.honest is None
    assert "quote that of the test set" in choice.reason


@pytest.mark.parametrize("which", ["classical", "network"])
def test_a_replay_gives_the_same_bits_and_so_does_a_bundle(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    x, y, choice = request.getfixturevalue(which)
    plan = Plan(**json.loads(json.dumps(choice.plan.as_dict())))
    again = learn.select(x, y, budget=0.001, replay=plan)
    expected = choice.model.predict_proba(x).tobytes()
    assert again.model.predict_proba(x).tobytes() == expected
    assert again.predictions.tobytes() == choice.predictions.tobytes()
    assert again.plan.done == choice.plan.done
    with pytest.raises(UsageError, match="made for other data"):
        learn.select(x[:-1], y[:-1], replay=plan)
    choice.save(tmp_path / "m", target="eight")
    bundle = load(tmp_path / "m")
    assert bundle.predict_proba(x).tobytes() == expected
    assert bundle.contract == choice.contract
    with pytest.raises(UsageError, match="channels 1, got 3"):
        bundle.predict_proba(np.zeros((2, 8, 8, 3)))


def test_a_killed_choice_goes_on_from_its_journal_to_the_bits_of_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = real()
    options: dict[str, Any] = {"models": ["hog-logistic", "cnn-small"], "folds": 3, "repeats": 1, "outer": False}
    ran: list[str] = []

    def counted(trial: Any, *rest: Any, **named: Any) -> Any:
        which = rest[3]
        if len(ran) + len(which) > killed_after:
            raise KeyboardInterrupt
        ran.extend(f"{trial.name}/{k}" for k in which)
        return folds.fold_runs(trial, *rest, **named)

    monkeypatch.setattr(rounds, "fold_runs", counted)
    killed_after = 7  # after all of one family and the first folds of the other
    with pytest.raises(KeyboardInterrupt):
        learn.select(x, y, **options, budget="30m", journal=tmp_path / "journal")
    before, killed_after = list(ran), 1000
    told: list[tuple[float, float]] = []
    choice = learn.select(
        x, y, **options, budget="30m", journal=tmp_path / "journal", progress=lambda *t: told.append(t)
    )  # fmt: skip
    assert len(before) >= 2
    assert len(ran) == 3 * 3 + 3  # three settings and a network, three folds each; none twice
    assert told == sorted(told)
    assert {total for _, total in told} == {1800.0}
    plan = Plan(**json.loads(json.dumps(choice.plan.as_dict())))
    again = learn.select(x, y, budget=0.001, replay=plan)
    assert again.model.predict_proba(x).tobytes() == choice.model.predict_proba(x).tobytes()


def test_values_and_mixed_sizes_are_chosen_for() -> None:
    x, _ = real(60)
    ink = x.mean(axis=(1, 2))
    mixed = [np.pad(image, ((0, i % 2), (0, 0)), mode="edge") for i, image in enumerate(x)]
    choice = learn.select(mixed, ink, models=["hog-logistic"], folds=3, repeats=1, budget="30m", outer=False)
    assert choice.model.task == "regression"
    assert np.corrcoef(choice.model.predict(mixed), ink)[0, 1] > 0.8


def test_copies_of_an_image_stay_on_one_side() -> None:
    rng = np.random.default_rng(0)
    faces = np.kron(rng.normal(size=(30, 4, 4)), np.ones((1, 4, 4)))
    x = np.concatenate([faces + 0.05 * rng.normal(size=faces.shape) for _ in range(4)])
    y = np.tile(rng.integers(0, 2, 30), 4)  # who it is tells the label, what it shows does not
    choice = learn.select(x, y, models=["hog-svm"], folds=3, repeats=1, budget="30m", outer=False)
    assert choice.table[0].mean is not None
    assert choice.table[0].mean < 0.75
    assert "120 images have a near-duplicate" in choice.notes[0]
    assert choice.data.groups == 30


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"models": ["magic"]}, "no model of images 'magic'"),
        ({"models": ["gru"]}, "no model is left to try on 60 images"),
        ({"prefer": "cheap"}, "prefer must be one of"),
        ({"folds": 1}, "folds must be 2"),
        ({"folds": 40}, "give fewer folds"),
        ({"budget": 1e-6}, "budget is too short"),
    ],
)
def test_impossible_requests_are_told(options: dict[str, Any], words: str) -> None:
    x, y = real(60)
    with pytest.raises(UsageError, match=words):
        learn.select(x, y, **options)


def test_a_network_of_a_package_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="monai-densenet121: MONAI is not installed"):
        learn.select(*real(), models=["monai-densenet121"], folds=3, budget="30m")


def test_images_that_cannot_be_learned_from_are_told() -> None:
    x, y = real(60)
    with pytest.raises(UsageError, match="same label"):
        learn.select(x, np.zeros(60))
    x = x.copy()
    x[3, 0, 0] = np.nan
    with pytest.raises(UsageError, match="image 3"):
        learn.select(x, y)
