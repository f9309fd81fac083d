"""The search among models of images: what the clock decides, and bits that do not depend on the number of cores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from radlake.learn.clock import Clock, Plan
from radlake.learn.deep import folds, rounds
from radlake.learn.deep.cases import ImageCases, image_cases
from radlake.learn.deep.costs import costs
from radlake.learn.deep.families import epochs, image_families
from radlake.learn.deep.folds import FoldRun
from radlake.learn.deep.model import ImageModel
from radlake.learn.deep.probe import Way
from radlake.learn.deep.progress import Progress
from radlake.learn.journal import Journal
from radlake.learn.search import Search
from radlake.learn.split import grouped_folds
from radlake.learn.trial import Trial
from radlake.learn.verdict import table


@pytest.fixture(scope="module")
def cases() -> ImageCases:
    x, y = load_digits(n_class=2, return_X_y=True)
    return image_cases(x[:90].reshape(-1, 8, 8), y[:90])


def test_the_bits_do_not_depend_on_how_many_networks_run_at_once(
    cases: ImageCases, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = image_families()["vgg-small"]  # with dropout, which must not share its generator
    trial = Trial("vgg-small", family, {"epochs": 1}, 0)
    fold = grouped_folds(cases.outcome.strata, cases.outcome.groups, folds=3, rng=np.random.default_rng(0))
    found = []
    for number in (1, 3):
        monkeypatch.setattr(folds, "cores", lambda number=number: number)
        runs = folds.fold_runs(trial, family, cases, fold, range(3), seed=0)
        found.append(b"".join(run.decision.tobytes() for run in runs.values()))
        assert all(run.network is not None for run in runs.values())
    assert found[0] == found[1]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of one core on which an epoch of a network takes a second, and everything else no time."""
    taken = {Way("float32", True): 1.0, Way("bfloat16", True): 0.5}
    monkeypatch.setattr(ImageModel, "seconds_of_steps", lambda *_: taken)
    monkeypatch.setattr(folds, "cores", lambda: 1)

    def quick(trial: Trial, family: Any, cases: ImageCases, fold: Any, which: Any, **_: Any) -> dict[int, FoldRun]:
        answer = {k: cases.outcome.y[fold == k][:, None] + 0.1 * k for k in which}
        return {k: FoldRun(a, 1.0, 0.1, 0.1, 10, True, f"network {k}") for k, a in answer.items()}

    monkeypatch.setattr(rounds, "fold_runs", quick)


def searched(cases: ImageCases, budget: float) -> tuple[rounds.Rounds, Search, dict[int, list[Any]]]:
    """What a search among small CNNs comes to in five folds."""
    families = {"cnn-small": image_families()["cnn-small"]}
    clock = Clock(budget)
    expected, able, _ = costs(families, cases, clock, until=1.0, seed=0, folds=3, memory_bytes=1 << 40)
    needs = {name: cost.seconds for name, cost in expected.items()}
    assert needs["cnn-small"] == 1.0  # two steps of half a second an epoch, by bfloat16
    search = rounds.Rounds(cases, able, needs, clock, "all", 1.0, 5, 1, 0)
    return search, *search.run()


@pytest.mark.usefixtures("slow")
def test_epochs_are_lowered_until_the_first_folds_fit(cases: ImageCases) -> None:
    most, some, _, less, least = epochs(90)
    for seconds, expected in (
        (5 * most, most),
        (2 * most, most),
        (2 * some, some),
        (2 * less, less),
        (2 * least, least),
    ):
        search, found, networks = searched(cases, seconds + 1)
        assert search.families["cnn-small"].grid == ({"epochs": expected, "short": 1},)
        (trial,) = found.trials
        assert trial.folds == 5  # what ran took no time, so that the others followed
        assert networks[id(trial)] == [f"network {k}" for k in range(5)]
    _, found, _ = searched(cases, 2 * least - 1)
    assert not found.trials
    told = f"even {least} epochs of 2 folds take about {2 * least} s, more than is left"
    assert found.left_out["cnn-small"] == told


@pytest.mark.usefixtures("slow")
def test_dear_families_get_what_cheap_ones_leave_of_equal_shares(cases: ImageCases) -> None:
    one = image_families()["cnn-small"]
    grid = tuple({"epochs": e} for e in epochs(90))
    families = {name: replace(one, grid=grid) for name in ("cheap", "dear")}
    clock = Clock(1000.0)
    found, _ = rounds.Rounds(cases, families, {"cheap": 0.001, "dear": 10.0}, clock, "all", 1.0, 5, 1, 0).run()
    assert [work for work in clock.done if "epochs" in work] == ["all/epochs/cheap/60", "all/epochs/dear/42"]
    assert [t.folds for t in found.trials] == [5, 5]


@pytest.mark.usefixtures("slow")
def test_networks_of_folds_that_were_drawn_anew_answer_as_well(cases: ImageCases) -> None:
    families = {"cnn-small": replace(image_families()["cnn-small"], grid=({"epochs": 15},))}
    found, networks = rounds.Rounds(cases, families, {"cnn-small": 1.0}, Clock(1e6), "all", 1.0, 3, 2, 0).run()
    (trial,) = found.trials
    assert len(trial.runs) == 2
    assert networks[id(trial)] == [f"network {k}" for k in range(3)] * 2
    said, seen = folds._unseen(trial.runs)
    np.testing.assert_allclose(said, (trial.runs[0].decision + trial.runs[1].decision) / 2)
    assert seen.all()
    trial.runs[1].decision[found.folds[1] == 0] = np.nan  # there was no time for this one
    said, _ = folds._unseen(trial.runs)
    alone = found.folds[1] == 0
    np.testing.assert_array_equal(said[alone], trial.runs[0].decision[alone])


@pytest.mark.usefixtures("slow")
def test_a_model_of_some_folds_answers_by_their_networks(cases: ImageCases, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = Plan("", {}, ("all/epochs/cnn-small/15", "all/0/cnn-small/0/0", "all/0/cnn-small/0/1"))
    families = {"cnn-small": replace(image_families()["cnn-small"], grid=({"epochs": 15},))}
    found, networks = rounds.Rounds(
        cases, families, {"cnn-small": 1.0}, Clock(1.0, allowed), "all", 1.0, 5, 2, 0
    ).run()  # fmt: skip
    (trial,) = found.trials
    assert (trial.folds, networks[id(trial)]) == (2, ["network 0", "network 1"])
    assert np.isnan(trial.runs[0].score).tolist() == [False, False, True, True, True]
    assert trial.runs[0].seen.tolist() == (found.folds[0] < 2).tolist()
    (line,) = table(cases.outcome, found, families, {}, prefer="balanced", seed=0)
    assert line.why == "the only one that was tried; there was time for 2 of 5 folds"
    assert line.figures is not None
    assert line.figures.score == 1.0


def test_a_training_that_outlasts_the_budget_is_given_up_where_there_is_another_model(cases: ImageCases) -> None:
    cases.compute("hog")
    families = {name: image_families()[name] for name in ("hog-logistic", "cnn-small")}
    families["cnn-small"] = replace(families["cnn-small"], grid=({"epochs": 500},))
    needs = {"hog-logistic": 1e-6, "cnn-small": 1e-6}  # far too hopeful
    clock = Clock(3.0)
    found, _ = rounds.Rounds(cases, families, needs, clock, "all", 1.0, 3, 1, 0).run()
    assert {t.name for t in found.trials} == {"hog-logistic"}
    assert not any("0/cnn-small" in work for work in clock.done)
    assert "more than is left" in found.left_out["cnn-small"]


@pytest.mark.parametrize("kept", [False, True])
def test_the_only_training_is_cut_short_when_the_time_is_over_and_a_replay_cuts_it_there(
    cases: ImageCases, kept: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(folds, "cores", lambda: 2)
    families = {"cnn-small": replace(image_families()["cnn-small"], grid=({"epochs": 4},))}
    clock = Clock(1000.0)

    def slower(told: Progress) -> float:
        """Each epoch takes a third of the budget."""
        clock.started -= 170.0  # two folds tell it
        return 330.0 * told.epoch

    def search(clock: Clock, journal: Journal | None = None) -> tuple[rounds.Rounds, Search, dict[int, list[Any]]]:
        found = rounds.Rounds(cases, dict(families), {"cnn-small": 0.1}, clock, "all", 1.0, 3, 1, 0, journal)
        return found, *found.run()

    ends = rounds.Rounds._ends
    monkeypatch.setattr(
        rounds.Rounds, "_ends", lambda self, work, told: ends(self, work, replace(told, seconds=slower(told)))
    )
    journal = Journal(tmp_path, "it")
    _, found, networks = search(clock, journal)
    (trial,) = found.trials
    lengths = [len(n.history_.losses) for n in networks[id(trial)]]
    assert len(lengths) == 2  # the third fold was not begun
    assert all(0 < n < 4 for n in lengths)
    assert [f"all/0/cnn-small/0/{k}/cut/{n}" for k, n in enumerate(lengths)] == sorted(
        work for work in clock.done if "cut" in work
    )
    again = Clock(1000.0) if kept else Clock(1.0, Plan("", {}, tuple(clock.done)))
    if kept:
        again.go_on(Journal(tmp_path, "it").allowed | set(clock.done), 1200.0)
    _, repeated, _ = search(again, Journal(tmp_path, "it") if kept else None)
    assert repeated.trials[0].runs[0].decision.tobytes() == trial.runs[0].decision.tobytes()
    assert sorted(set(again.done)) == sorted(set(clock.done))


def test_what_was_left_out_for_want_of_time_is_told(cases: ImageCases) -> None:
    cases.compute("hog")
    families = {name: replace(f, grid=f.grid[:2], usual=0) for name, f in image_families().items() if f.view == "hog"}
    needs = {"hog-logistic": 0.001, "hog-svm": 1e9}
    found, networks = rounds.Rounds(cases, families, needs, Clock(60.0), "all", 1.0, 3, 1, 0).run()
    assert {t.name for t in found.trials} == {"hog-logistic"}
    assert "more than is left" in found.left_out["hog-svm"]
    assert not any(networks.values())
