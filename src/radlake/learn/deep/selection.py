"""Choosing a model of images: rules, costs, rounds, calibration, one standard error, the honest score time allows."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.learn.choice import Choice
from radlake.learn.clock import Clock, Plan, seconds
from radlake.learn.deep.cases import ImageCases, image_cases, image_fingerprint
from radlake.learn.deep.costs import costs
from radlake.learn.deep.device import Device, described, resolve
from radlake.learn.deep.families import ImageFamily, image_families
from radlake.learn.deep.folds import final
from radlake.learn.deep.rounds import Rounds
from radlake.learn.expectation import what_it_can_show
from radlake.learn.families import Task, no_such_model
from radlake.learn.images import Axes
from radlake.learn.journal import Journal, identity, journal_of_views
from radlake.learn.problem import Fingerprint, Floats, Ints
from radlake.learn.reason import reason
from radlake.learn.search import Search
from radlake.learn.split import grouped_folds
from radlake.learn.validate import Fitted
from radlake.learn.verdict import NOT_ASKED, TOLERANCE, Figures, Prefer, figures, pick, table

_KEPT = 0.05  # share of the budget for the final fit and the table
_MAIN = 0.5  # share of the main search where held-out patients are to follow
_KERNEL_CASES = 8_000  # images, each with its mirror image
_LARGE_COHORT = 5_000
_TASTE = 20  # images that tell whether all are masks


def select_images(  # noqa: PLR0913 - its options are the request
    inputs: Any,
    y: Any,
    *,
    groups: Any = None,
    clusters: Any = None,
    task: Task | None = None,
    axes: Axes = "auto",
    models: Sequence[str] | None = None,
    budget: str | float = "10m",
    prefer: Prefer = "balanced",
    folds: int = 5,
    repeats: int = 3,
    outer: bool = True,
    seed: int = 0,
    device: Device = "auto",
    modality: str | None = None,
    replay: Plan | None = None,
    journal: str | Path | None = None,
    progress: Callable[[float, float], None] | None = None,
    memory_bytes: int = 4 << 30,
) -> Choice:
    """Choose a model of images by repeated cross-validation over patients and near-duplicates, within a time budget.

    Parameters
    ----------
    inputs : images
        See `radlake.learn.images.images`.
    y, groups, clusters, task, models, budget, prefer, folds, repeats, seed, device, modality, replay, journal
    progress, memory_bytes
        As in `radlake.learn.select`; models are names in `radlake.learn.deep.families.image_families`. `groups` and
        near-duplicates, which are found, are kept together.
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
        Axes of one image.
    outer : bool
        Repeat the whole procedure with the patients of each fold held out, as many folds as the time allows. False
        where a test set is waiting that the choice has not seen: all the time then goes into the choice.

    Returns
    -------
    Choice

    Raises
    ------
    UsageError
        As in `radlake.learn.select`, or when PyTorch is not installed.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    clock = Clock(seconds(budget), replay, progress)
    design: dict[str, Any] = {
        "models": None if models is None else sorted(models), "prefer": prefer, "folds": folds, "repeats": repeats,
        "outer": outer, "seed": seed, "device": resolve(device if replay is None else replay.design["device"]),
    }  # fmt: skip
    with threadpool_limits(1):  # sums in another order would give other last bits
        cases = image_cases(
            inputs, y, groups=groups, clusters=clusters, task=task, axes=axes, device=design["device"]
        )  # fmt: skip
        digest = cases.digest
        design["augment"] = _augmentation(cases, modality)
        if replay is not None:
            if replay.digest != digest:
                raise UsageError("the plan was made for other data; it can be replayed only on the same cases")
            design = dict(replay.design)
        cases = replace(cases, augment=design.get("augment", "mild"))
        kept = views = None
        if journal is not None:
            views = journal_of_views(Path(journal), cases.given.digest())
            kept = Journal(Path(journal), identity(digest, design | _machine(cases.device)))
            for earlier in (views, kept):
                clock.go_on(earlier.allowed, earlier.elapsed)
        return _select(cases, digest, design, clock, kept, views, memory_bytes)


def _select(
    cases: ImageCases, digest: str, design: dict[str, Any], clock: Clock, journal: Journal | None,
    views: Journal | None, memory_bytes: int,
) -> Choice:  # fmt: skip
    """The whole procedure on checked images."""
    from radlake.learn.deep.trainer import threads

    found, outcome, seed = image_fingerprint(cases), cases.outcome, design["seed"]
    families, reasons = _candidates(cases, found, design)
    share = _MAIN if design["outer"] else 1 - _KEPT
    with threads(1):
        expected, able, refused = costs(
            families, cases, clock, until=share, seed=seed, folds=design["folds"], memory_bytes=memory_bytes,
            journal=views,
        )  # fmt: skip
        if not able:
            raise _none_left(found, refused)
        needs = {name: cost.seconds for name, cost in expected.items()}
        main = Rounds(cases, able, needs, clock, "all", share, design["folds"], design["repeats"], seed, journal)
        search, networks = main.run()
        if not search.trials:
            told = "; ".join(f"{name}: {why}" for name, why in (refused | search.left_out).items())
            raise UsageError(
                "the budget is too short for a single model; give more time, fewer models, folds or images"
                f" ({told or 'nothing was tried'})"
            )
        chosen, _ = pick(search, prefer=design["prefer"])
        model = final(chosen, able[chosen.name], cases, networks.get(id(chosen), []), seed=seed)
        tried = {name: f for name, f in able.items() if name not in search.left_out}
        predictions, fold, picks = _outer(cases, tried, main.needs, clock, design, journal)
    honest = _honest(cases, predictions, fold, seed)
    reasons |= refused | search.left_out
    lines = table(outcome, search, families | _all(cases), reasons, prefer=design["prefer"], seed=seed)
    text = reason(
        lines, found, outcome.task, prefer=design["prefer"], honest=honest, picks=picks, waits=not design["outer"]
    )
    if honest is not None and len(picks) < design["folds"]:
        text += (
            f" There was time for {len(picks)} of {design['folds']} repetitions of the choice: the number to quote is"
            " of their patients."
        )
    plan = Plan(digest, design | _machine(cases.device), tuple(sorted(clock.done)))
    return Choice(
        model=model, table=tuple(lines), reason=text, expectation=what_it_can_show(found, outcome.task),
        notes=_notes(cases), honest=honest, picks=tuple(picks), predictions=predictions, folds=fold,
        tried=tuple(_tried(search)), plan=plan, inputs=(), data=found, own=chosen.runs[0].predicted,
        contract=cases.given.contract(), costs=expected,
    )  # fmt: skip


def _augmentation(cases: ImageCases, modality: str | None) -> str:
    """How images of a modality may be changed."""
    from radlake.learn.deep.augment import fitting

    some = np.linspace(0, len(cases.given) - 1, min(len(cases.given), _TASTE)).astype(np.int64)
    return fitting(modality, np.concatenate([np.asarray(cases.given.arrays[i]).ravel() for i in some]))


def _all(cases: ImageCases) -> dict[str, ImageFamily]:
    """Every family that takes such images."""
    return {name: f for name, f in image_families().items() if cases.given.spatial in f.spatial}


def _candidates(
    cases: ImageCases, found: Fingerprint, design: Mapping[str, Any]
) -> tuple[dict[str, ImageFamily], dict[str, str]]:
    """Families to try, and the reason against each of the others."""
    _check(design, found)
    fitting, wanted = _all(cases), design["models"]
    reasons = {}
    for name, family in fitting.items():
        if why := _reason_against(name, family, cases, found, design):
            reasons[name] = why
    families = {name: family for name, family in fitting.items() if name not in reasons}
    if not families:
        raise _none_left(found, {name: why for name, why in reasons.items() if name in (wanted or ())})
    return families, reasons


def _none_left(found: Fingerprint, reasons: Mapping[str, str]) -> UsageError:
    """No model of images can be tried, and why."""
    told = "; ".join(f"{name}: {why}" for name, why in reasons.items())
    return UsageError(f"no model is left to try on {found.cases} images ({told or 'none takes such images'})")


def _check(design: Mapping[str, Any], found: Fingerprint) -> None:
    """Refuse options that do not exist, and folds that some class cannot fill."""
    if design["prefer"] not in TOLERANCE:
        raise UsageError(f"prefer must be one of {', '.join(TOLERANCE)}; got {design['prefer']!r}")
    if design["folds"] < 2 or design["repeats"] < 1:
        raise UsageError("folds must be 2 or more, repeats 1 or more")
    known = image_families()
    for name in design["models"] or ():
        if name not in known:
            raise no_such_model(name, known, sees="images", others="others are models of features: --inputs features")
    least = design["folds"] * (2 if design["outer"] else 1)
    if found.fewest < least:
        raise UsageError(
            f"the rarest class occurs in {found.fewest} patients; {design['folds']} folds need {least}: give fewer"
            " folds, or more patients"
        )


def _reason_against(
    name: str, family: ImageFamily, cases: ImageCases, found: Fingerprint, design: Mapping[str, Any]
) -> str | None:
    """Why a family is not tried, or None."""
    wanted, gpu = design["models"], cases.device == "cuda"
    rules = (
        (wanted is not None and name not in wanted, NOT_ASKED),
        (
            wanted is None and not family.usually and not (gpu and found.cases >= _LARGE_COHORT),
            f"on {found.cases} images{'' if gpu else ' and without a GPU'} a smaller one does as well",
        ),
        (name.startswith("monai-") and find_spec("monai") is None, "MONAI is not installed: pip install monai"),
        (
            design["prefer"] == "readable" and family.grade == "D",
            "nobody can read how it decides, and readable was asked for",
        ),
        (
            family.holds_rows and found.cases > _KERNEL_CASES,
            f"it compares with all {found.cases} stored images; above {_KERNEL_CASES} that is slow",
        ),
    )
    return next((reason for applies, reason in rules if applies), None)


def _outer(
    cases: ImageCases, families: Mapping[str, ImageFamily], needs: Mapping[str, float], clock: Clock,
    design: Mapping[str, Any], journal: Journal | None,
) -> tuple[Floats, Ints, list[str]]:  # fmt: skip
    """Predictions for held-out patients by the whole procedure, their folds, and the family that each fold chose.

    A fold gets as much time as the main search had, and is begun only if there is so much left.
    """
    outcome, folds = cases.outcome, design["folds"]
    predictions = np.full((1, len(outcome.y), max(1, len(outcome.classes))), np.nan)
    rng = np.random.default_rng([design["seed"], 1])
    fold = grouped_folds(outcome.strata, outcome.groups, folds=folds, rng=rng)
    picks: list[str] = []
    took, end = clock.elapsed, 1 - _KEPT
    for k in range(folds if design["outer"] else 0):
        began = clock.elapsed
        if not clock.allows(f"outer/{k}", needs=took * (folds - 1) / folds, until=end):
            break
        until = min(end, (began + took) / clock.budget)
        seen, test = cases.part(fold != k), fold == k
        rounds = Rounds(
            seen, dict(families), dict(needs), clock, f"outer {k}", until, folds, design["repeats"], design["seed"],
            journal,
        )  # fmt: skip
        search, networks = rounds.run()
        if not search.trials:
            break
        chosen, _ = pick(search, prefer=design["prefer"])
        model = final(chosen, families[chosen.name], seen, networks.get(id(chosen), []), seed=design["seed"])
        picks.append(chosen.name)
        predictions[0, test] = _said(model, cases.part(test))
        took = clock.elapsed - began if k else took
    return predictions, fold[None], picks


def _said(model: Fitted, cases: ImageCases) -> NDArray[np.float64]:
    """Predictions for images: probabilities (N, K), or values (N, 1)."""
    if model.task == "regression":
        return np.asarray(model.predict(cases.raw))[:, None]
    return model.predict_proba(cases.raw)


def _honest(cases: ImageCases, predictions: Floats, fold: Ints, seed: int) -> Figures | None:
    """Figures of the held-out patients that there was time for; None when there are none."""
    seen = ~np.isnan(predictions[0]).any(axis=1)
    if not seen.any():
        return None
    return figures(cases.outcome.part(seen), predictions[:, seen], fold[:, seen], seed=seed)


def _tried(found: Search) -> list[dict[str, Any]]:
    """What was tried, in the order of the families."""
    return [
        {"family": t.name, "settings": dict(t.settings), "repeats": len(t.runs), "mean": t.mean} for t in found.trials
    ]


def _notes(cases: ImageCases) -> tuple[str, ...]:
    """What is odd about the images, each with what to do."""
    notes = []
    if cases.copies:
        notes.append(f"{cases.copies} images have a near-duplicate: they are kept in one fold")
    if not cases.alike:
        notes.append("the images look so alike that near-duplicates cannot be told; only equal ones are kept together")
    return tuple(notes)


def _machine(device: str) -> dict[str, Any]:
    """Versions and devices on which equal bits depend."""
    from importlib.metadata import version

    names = ("scikit-learn", "numpy", "scipy", "torch", "opencv-python-headless")
    versions = {n: version(n) for n in names}
    return {"versions": versions, "machine": platform.machine(), "gpu": described(device)["name"]}
