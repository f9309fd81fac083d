"""The whole choice on real and made data: honest, replayable, saved, within its time, and clear when it cannot be."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from radlake import learn
from radlake.core.errors import UsageError
from radlake.learn import search, selection
from radlake.learn.bundle import load
from radlake.learn.clock import Plan
from radlake.learn.probe import Cost
from radlake.learn.trial import assembled

QUICK = ["short", "logistic", "bayes", "neighbours"]


def made(n: int = 150, signal: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.normal(size=(n, 5))
    x[:, 0] += signal * y
    return x, y


@pytest.fixture(scope="module")
def cancer() -> tuple[np.ndarray, np.ndarray, learn.Choice]:
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    return x, y, learn.select(x, y, models=[*QUICK, "tree"], repeats=1)


def test_breast_cancer_gets_a_readable_model_that_is_nearly_the_best(cancer: tuple[Any, Any, learn.Choice]) -> None:
    _, _, choice = cancer
    assert choice.table[0].grade in "AB"
    assert all(line.grade >= choice.table[0].grade for line in choice.table if line.verdict == "as good")
    assert choice.honest is not None
    assert choice.honest.score > 0.98
    assert choice.honest.low < choice.honest.score < choice.honest.high
    assert choice.honest.accuracy is not None
    assert choice.honest.accuracy > 0.94
    assert len(choice.picks) == 5
    assert {line.family for line in choice.table if line.verdict == "not tried"} == {
        "svm", "svm-linear", "explainable-boosting", "forest", "extra-trees", "boosting",
    }  # fmt: skip
    assert f"{choice.table[0].title} was chosen" in choice.reason
    assert "The number to quote" in choice.reason
    assert "212 patients with the rarer class" in choice.expectation


def test_a_replay_gives_the_same_bits(cancer: tuple[Any, Any, learn.Choice]) -> None:
    x, y, choice = cancer
    plan = Plan(**json.loads(json.dumps(choice.plan.as_dict())))
    again = learn.select(x, y, budget=0.001, replay=plan)
    assert again.predictions.tobytes() == choice.predictions.tobytes()
    assert again.model.predict_proba(x).tobytes() == choice.model.predict_proba(x).tobytes()
    assert again.picks == choice.picks
    assert again.tried == choice.tried
    assert again.plan.done == choice.plan.done
    with pytest.raises(UsageError, match="made for other data"):
        learn.select(x[:-1], y[:-1], replay=plan)


def test_a_saved_choice_answers_as_before_and_keeps_its_evidence(
    cancer: tuple[Any, Any, learn.Choice], tmp_path: Path
) -> None:
    x, _, choice = cancer
    choice.save(tmp_path / "m", target="benign")
    bundle = load(tmp_path / "m")
    assert bundle.fitted.predict_proba(x).tobytes() == choice.model.predict_proba(x).tobytes()
    assert bundle.evidence is not None
    assert bundle.evidence["reason"] == choice.reason
    assert [row["family"] for row in bundle.evidence["table"]] == [line.family for line in choice.table]
    assert bundle.evidence["plan"]["digest"] == choice.plan.digest


def test_noise_is_not_called_a_finding() -> None:
    x, y = made(200, signal=0.0)
    choice = learn.select(x, y, models=QUICK, repeats=1)
    assert choice.honest is not None
    assert 0.35 < choice.honest.score < 0.65


def test_patients_are_never_torn_apart() -> None:
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(60), 4)
    y = (rng.random(60) < 0.5).astype(int)[groups]
    faces = rng.normal(size=(60, 3))[groups] + 0.001 * rng.normal(size=(240, 3))  # tells who, not what
    apart = learn.select(faces, y, groups=groups, models=["neighbours"], repeats=1)
    torn = learn.select(faces, y, models=["neighbours"], repeats=1)
    assert apart.honest is not None
    assert torn.honest is not None
    assert apart.honest.score < 0.65
    assert torn.honest.score > 0.75


def test_words_and_values_are_answered_in_kind() -> None:
    x, y = made()
    words = learn.select(x, np.where(y, "ill", "well"), models=["logistic"], repeats=1)
    assert set(words.model.predict(x)) == {"ill", "well"}
    amount = learn.select(x, x[:, 0] * 3 + 1, models=["ridge", "lasso"], repeats=1)
    assert amount.honest is not None
    assert amount.honest.score > 0.95
    assert np.abs(amount.model.predict(x) - (x[:, 0] * 3 + 1)).max() < 1


def test_the_budget_is_kept() -> None:
    x, y = made(600)
    learn.select(x, y, models=["logistic"], repeats=1)  # imports are not the budget's
    started = time.monotonic()
    choice = learn.select(x, y, budget="4s", repeats=5)
    assert time.monotonic() - started < 4 * 1.5  # a tenth more, and room for a busy machine
    assert choice.table[0].verdict == "chosen"


def test_odd_data_are_noted() -> None:
    x, y = made()
    x = np.column_stack([x, np.full(150, np.nan), np.ones(150), y + 0.01 * x[:, 1]])
    x[3], y[3] = x[4], y[4]
    choice = learn.select(x, y, models=["logistic"], repeats=1)
    notes = " | ".join(choice.notes)
    for words in (
        "no values at all in feature 6",
        "same value in feature 7",
        "feature 8 alone nearly",
        "2 cases equal",
    ):
        assert words in notes
    assert "'feature 8' alone nearly tells the outcome" in choice.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"models": ["magic"]}, "no model of features 'magic'; there are short, .*--inputs images"),
        ({"models": ["logistik"]}, "no model of features 'logistik'; did you mean 'logistic'"),
        ({"models": ["linear"]}, "no model is left"),
        ({"prefer": "cheap"}, "prefer must be one of"),
        ({"folds": 1}, "folds must be 2"),
        ({"folds": 80}, "give fewer folds"),
        ({"groups": np.arange(150) % 6}, "rarest class occurs in 6 patients"),
        ({"budget": "soon"}, "budget must be"),
        ({"budget": 1e-6}, "budget is too short .*before any cost was known"),
    ],
)
def test_impossible_requests_are_told(options: dict[str, Any], words: str) -> None:
    x, y = made()
    with pytest.raises(UsageError, match=words):
        learn.select(x, y, **options)


def test_a_budget_that_is_too_short_is_told_with_what_the_quickest_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    costly = {"logistic": Cost(80.0, 1), "bayes": Cost(20.0, 1)}
    monkeypatch.setattr(selection, "probe", lambda *_, **__: (costly, {}))
    with pytest.raises(UsageError, match=r"\(bayes: one round of it takes about 100 s, more than the budget left\)"):
        learn.select(*made(), models=["logistic", "bayes"], budget="10s")


def test_a_killed_choice_goes_on_from_its_journal_to_the_bits_of_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = made()
    ran: list[str] = []
    most = 9  # in the outer loop

    def counted(family: Any, given: Any, fold: Any, told: Any) -> Any:
        if len(ran) == most:
            raise KeyboardInterrupt
        ran.append(f"{len(given.y)}/{family.title}")
        return assembled(family, given, fold, told)

    monkeypatch.setattr(search, "assembled", counted)
    options: dict[str, Any] = {"models": ["logistic", "bayes"], "repeats": 1, "folds": 3, "budget": "1m"}
    with pytest.raises(KeyboardInterrupt):
        learn.select(x, y, **options, journal=tmp_path)
    most = 10**6
    killed = learn.select(x, y, **options, journal=tmp_path)
    together, ran = len(ran), []
    whole = learn.select(x, y, **options)
    assert together == len(ran)  # nothing was done twice
    again = learn.select(x, y, budget=0.001, replay=killed.plan)
    for other in (whole, again):
        assert other.model.predict_proba(x).tobytes() == killed.model.predict_proba(x).tobytes()
        assert other.predictions.tobytes() == killed.predictions.tobytes()
