"""Choosing a model for the data, the time and the reader at hand, with the evidence for the choice."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from radlake.core.errors import UsageError
from radlake.learn.choice import Choice
from radlake.learn.clock import Clock, Plan, seconds
from radlake.learn.crew import Crew, Processes, Worker
from radlake.learn.expectation import what_it_can_show
from radlake.learn.families import FAMILIES, Family, Task, applicable, no_such_model
from radlake.learn.images import are_images, stacked
from radlake.learn.journal import Journal, identity
from radlake.learn.probe import Cost, probe
from radlake.learn.problem import Bools, Fingerprint, Floats, Ints, Problem, fingerprint, problem
from radlake.learn.reason import reason
from radlake.learn.search import Search, Searcher, final, prune
from radlake.learn.split import grouped_folds
from radlake.learn.verdict import NOT_ASKED, TOLERANCE, Figures, Prefer, figures, pick, table

if TYPE_CHECKING:
    from radlake.learn.deep.device import Device

_PROBED = 0.1  # share of the budget for the probe
_KEPT = 0.05  # share for the final fit and the table
_WORTH_STARTING = 20_000  # values times families: of less, all is done about as soon as processes have started


def select(  # noqa: PLR0913 - its options are the request
    features: Any,
    y: Any,
    *,
    images: Any = None,
    groups: Any = None,
    clusters: Any = None,
    task: Task | None = None,
    names: Sequence[str] | None = None,
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
    workers: int = 1,
    memory_bytes: int = 4 << 30,
) -> Choice:
    """Choose a model by repeated cross-validation over patients, within a time budget.

    Families that do not fit the data are left out by rule; the others go through rounds that keep the better ones. Of
    those within one standard error of the best, the most readable is taken. The whole procedure is then repeated with
    the patients of each fold held out, which gives the score to quote; again and again while there is time.

    Parameters
    ----------
    features : (N, D) array or data frame, or images
        Numbers; missing values as NaN. Of images (`radlake.learn.images.images`) near-duplicates are found and kept
        together, and models are networks and classical ones on views (`radlake.learn.deep.families.image_families`).
    y : (N,) array
        Labels, or values for regression.
    images : images, optional
        Of the same cases, where `features` are numbers: models are tried on the features alone, and with what the
        images say beside them (`radlake.learn.both`). Near-duplicates are found and kept together.
    groups, clusters : (N,) arrays, optional
        Patient, and near-duplicate cluster, of each case; see `radlake.learn.problem.problem`.
    task : {"binary", "multiclass", "regression"}, optional
        By default what `y` looks like.
    names : sequence of D str, optional
        Names of the features.
    models : sequence of str, optional
        Families to choose among (`radlake.learn.families.FAMILIES`); all by default.
    budget : str or float
        Time for everything: 90s, 10m, 1h. It is an upper limit: a search that is complete ends sooner.
    prefer : {"balanced", "accuracy", "readable"}
        Accept one standard error less than the best for readability, none, or two.
    folds, repeats : int
        Of the cross-validation; as many in the outer loop.
    outer : bool
        False leaves out the outer loop, where a test set is waiting that the choice has not seen.
    seed : int
        Of folds, models and bootstrap.
    device : {"auto", "cpu", "cuda"}
        Where networks are trained: by default on a GPU where there is one. Models of tables use the processor.
    modality : str, optional
        Of images, as in DICOM: how they may be changed while networks learn (an X-ray is never mirrored). Not known by
        default: then only what holds for all.
    replay : Plan, optional
        Repeat an earlier choice to the bit, whatever the time: the plan's options take the place of those given here.
    journal : path, optional
        Folder for what has been finished: the same call after a kill goes on from there, and the seconds of both count.
        It stays when the choice is made.
    progress : callable, optional
        Given the seconds that are gone and those there are, now and then, from any thread.
    workers : int
        Processes among which the folds of models of tables are shared: more is tried in the time, and what is tried
        has the same bits. Models of images use all cores anyway.
    memory_bytes : int
        That models may take while they learn, all that do so at once; families that need more are left out.

    Returns
    -------
    Choice

    Raises
    ------
    UsageError
        When the data cannot be learned from, an option does not exist, the plan is of other data, or not even one
        family fits into the budget.

    References
    ----------
    Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection, BMC
    Bioinformatics 7:91, for the outer loop; Jamieson and Talwalkar (2016), Non-stochastic best arm identification and
    hyperparameter optimization, AISTATS, for the rounds.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(120, 3))
    >>> choice = select(x, x[:, 0] + 0.3 * rng.normal(size=120) > 0, models=["logistic", "bayes"], folds=3, repeats=1)
    >>> choice.table[0].verdict, choice.model.predict(x[:2]).tolist() == (x[:2, 0] > 0).tolist()
    ('chosen', True)
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if are_images(features):
        from radlake.learn.deep.selection import select_images

        return select_images(
            features, y, groups=groups, clusters=clusters, task=task, models=models, budget=budget, prefer=prefer,
            folds=folds, repeats=repeats, outer=outer, seed=seed, device=device, modality=modality, replay=replay,
            journal=journal, progress=progress, memory_bytes=memory_bytes,
        )  # fmt: skip
    clock = Clock(seconds(budget), replay, progress)
    given = problem(features, y, groups=groups, clusters=clusters, task=task, names=names)
    folder = None if journal is None else Path(journal)
    if images is not None:
        from radlake.learn.both import with_looks

        with threadpool_limits(1):
            given = with_looks(given, images, clock, folder)
    design: dict[str, Any] = {
        "models": None if models is None else sorted(models), "prefer": prefer, "folds": folds, "repeats": repeats,
        "outer": outer, "seed": seed,
    }  # fmt: skip
    if replay is not None:
        if replay.digest != given.digest:
            raise UsageError("the plan was made for other data; it can be replayed only on the same cases")
        design = dict(replay.design)
    kept = None
    if folder is not None:
        kept = Journal(folder, identity(given.digest, design | _machine()))
        clock.go_on(kept.allowed, kept.elapsed)
    with threadpool_limits(1):  # sums in another order would give other last bits
        choice = _select(given, design, clock, kept, workers, memory_bytes)
    if images is None:
        return choice
    from radlake.learn import both

    pixels = images if isinstance(images, np.ndarray) else stacked(images)
    model = both.final(choice.model, pixels)
    pictures = {"images": model.pipeline[0].contract_} if both.sees_images(model) else None
    return replace(choice, model=model, contract=pictures)


@dataclass(frozen=True, eq=False)
class _Study:
    """What every search of one choice shares: all cases, what families cost, the clock, and who does the work."""

    given: Problem
    needs: Mapping[str, Cost]
    clock: Clock
    design: Mapping[str, Any]
    journal: Journal | None
    crew: Crew


def _select(
    given: Problem, design: dict[str, Any], clock: Clock, journal: Journal | None, workers: int, memory_bytes: int
) -> Choice:  # fmt: skip
    """The whole procedure on checked data."""
    found = fingerprint(given)
    _check(design, found, _families(given))
    families, left_out = _candidates(given, found, design)
    with _crew(given, len(families), workers, memory_bytes) as crew:  # processes start while costs are probed
        needs, refused = probe(
            families, given, clock, until=_PROBED, seed=design["seed"], memory_bytes=memory_bytes
        )  # fmt: skip
        families = {name: family for name, family in families.items() if name not in refused}
        if needs and not families:  # none of those whose cost is known
            told = "; ".join(f"{name}: {why}" for name, why in refused.items())
            raise UsageError(f"no model is left to try on {found.cases} cases ({told})")
        study = _Study(given, needs, clock, design, journal, crew)
        return _choose(study, families, found, left_out | refused)


def _crew(given: Problem, families: int, workers: int, memory_bytes: int) -> AbstractContextManager[Crew]:
    """Processes where there is enough to do for them, else this one."""
    if workers < 2 or given.inputs.size * families < _WORTH_STARTING:
        return nullcontext(Worker(given, _families))
    return Processes(given, _families, hands=workers, memory_bytes=memory_bytes)


def _choose(study: _Study, families: Mapping[str, Family], found: Fingerprint, left_out: Mapping[str, str]) -> Choice:
    """The search, the model, and the score of the procedure on patients that it has not seen."""
    given, clock, design = study.given, study.clock, study.design
    start = min(1.0, clock.elapsed / clock.budget)
    outer = design["folds"] if design["outer"] else 0
    until = start + (1 - _KEPT - start) / (outer + 1)  # the outer loop repeats the search on most of the cases
    main = _search(study, families, part="all", until=until)
    if not main.trials:  # a slow machine: all the time for one model, and none for held-out patients
        main = _search(study, families, part="all", until=1 - _KEPT)
    if not main.trials:
        told = "; ".join(f"{name}: {why}" for name, why in [*main.left_out.items()][:1])  # the quickest comes first
        raise UsageError(
            f"the budget is too short for a single model ({told or 'it ended before any cost was known'}); give more"
            " time, or fewer models or cases"
        )
    chosen, _ = pick(main, prefer=design["prefer"])
    tried = {name: f for name, f in families.items() if name not in main.left_out}
    model = final(chosen, given, seed=design["seed"])
    predictions, fold, picks = _outer(study, tried)
    honest = _honest(given, predictions, fold, design["seed"])
    reasons = {**left_out, **main.left_out}
    lines = table(given, main, _families(given), reasons, prefer=design["prefer"], seed=design["seed"])
    text = reason(
        lines, found, given.task, prefer=design["prefer"], honest=honest, picks=picks, waits=not design["outer"]
    )
    plan = Plan(given.digest, {**design, **_machine()}, tuple(sorted(clock.done)))
    return Choice(
        model, tuple(lines), text, what_it_can_show(found, given.task), _notes(found), honest, tuple(picks),
        predictions, fold, tuple(_tried(main)), plan, given.names, found, own=chosen.runs[0].predicted,
        costs=study.needs,
    )  # fmt: skip


def _families(given: Problem) -> dict[str, Family]:
    """All that can answer."""
    if given.looks is None:
        return applicable(given.task)
    from radlake.learn.both import families

    return families(given)


def _check(design: Mapping[str, Any], found: Fingerprint, able: Mapping[str, Family]) -> None:
    """Refuse options that do not exist, and folds that some class cannot fill."""
    if design["prefer"] not in TOLERANCE:
        raise UsageError(f"prefer must be one of {', '.join(TOLERANCE)}; got {design['prefer']!r}")
    if design["folds"] < 2 or design["repeats"] < 1:
        raise UsageError("folds must be 2 or more, repeats 1 or more")
    for name in design["models"] or ():
        if name not in FAMILIES and name not in able:
            raise no_such_model(
                name, {**FAMILIES, **able}, sees="features", others="networks are models of images: --inputs images"
            )
    if found.fewest < 2 * design["folds"]:
        raise UsageError(
            f"the rarest class occurs in {found.fewest} patients; {design['folds']} folds inside"
            f" {design['folds']} folds need {2 * design['folds']}: give fewer folds, or more patients"
        )


def _candidates(
    given: Problem, found: Fingerprint, design: Mapping[str, Any]
) -> tuple[dict[str, Family], dict[str, str]]:
    """Families to try, and the reason against each of the others."""
    fitting = _families(given)
    wanted = set(design["models"] or fitting)
    reasons = {name: NOT_ASKED for name in fitting if name not in wanted}
    reasons |= prune({n: f for n, f in fitting.items() if n in wanted}, found, prefer=design["prefer"])
    families = {name: family for name, family in fitting.items() if name not in reasons}
    if not families:
        told = "; ".join(f"{name}: {why}" for name, why in reasons.items() if name in wanted)
        raise UsageError(f"no model is left to try on {found.cases} cases ({told or 'none answers this task'})")
    return families, reasons


def _search(
    study: _Study, families: Mapping[str, Family], *, part: str, until: float, cases: Bools | None = None
) -> Search:
    """One search, on some of the cases; folds that a class cannot fill are told as the user's problem."""
    given, design = study.given if cases is None else study.given.part(cases), study.design
    try:
        searcher = Searcher(
            given, families, dict(study.needs), study.clock, study.crew, part, until, design["folds"],
            design["repeats"], design["seed"], TOLERANCE[design["prefer"]], study.journal, cases,
        )  # fmt: skip
    except ValueError as error:  # our own message: about classes and folds
        raise UsageError(str(error)) from None
    return searcher.run()


def _outer(study: _Study, families: Mapping[str, Family]) -> tuple[Floats, Ints, list[str]]:
    """Predictions for held-out patients by the whole procedure, their folds, and the family that each fold chose.

    The first repeat has all the time that is left; another one is begun only if there is time for all of it.
    """
    given, clock, design = study.given, study.clock, study.design
    seeds = [[design["seed"], 1, repeat] for repeat in range(design["repeats"])]
    draws = [np.random.default_rng(seed) for seed in seeds]
    fold = np.stack([grouped_folds(given.strata, given.groups, folds=design["folds"], rng=rng) for rng in draws])
    predictions: list[Floats] = []
    picks: list[str] = []
    took = 0.0
    for repeat, own in enumerate(fold if design["outer"] else []):
        began = clock.elapsed
        if repeat and not clock.allows(f"outer {repeat}", needs=took, until=1 - _KEPT):
            break
        answer, chosen = _outer_repeat(study, families, own, part=f"outer {repeat}")
        predictions.append(answer)
        picks += chosen
        took = clock.elapsed - began
    none = np.empty((0, len(given.y), max(1, len(given.classes))))
    return np.stack(predictions) if predictions else none, fold[: len(predictions)], picks


def _outer_repeat(
    study: _Study, families: Mapping[str, Family], fold: Ints, *, part: str
) -> tuple[Floats, list[str]]:  # fmt: skip
    """Predictions of one repeat, NaN where the clock allowed no search, and the family that each fold chose."""
    given, clock, design = study.given, study.clock, study.design
    predictions = np.full((len(given.y), max(1, len(given.classes))), np.nan)
    picks = []
    start = min(1.0, clock.elapsed / clock.budget)
    for k in range(design["folds"]):
        test = fold == k
        until = start + (1 - _KEPT - start) * (k + 1) / design["folds"]
        found = _search(study, families, part=f"{part}.{k}", until=until, cases=~test)
        if not found.trials:
            continue
        chosen, _ = pick(found, prefer=design["prefer"])
        model = final(chosen, given.part(~test), seed=design["seed"])
        picks.append(chosen.name)
        unseen = given.inputs[test]
        regression = given.task == "regression"
        predictions[test] = model.predict(unseen)[:, None] if regression else model.predict_proba(unseen)
    return predictions, picks


def _honest(given: Problem, predictions: Floats, fold: Ints, seed: int) -> Figures | None:
    """Figures of the complete repeats, or of what there is of the first; None when there is nothing."""
    missing: Bools = np.any(np.isnan(predictions), axis=2)
    whole: Bools = ~np.any(missing, axis=1)
    if whole.any():
        return figures(given, predictions[whole], fold[whole], seed=seed)
    seen: Bools = np.asarray(np.logical_not(missing[:1]).any(axis=0))
    if not seen.any():
        return None
    return figures(given.part(seen), predictions[:1, seen], fold[:1, seen], seed=seed)


def _tried(found: Search) -> list[dict[str, Any]]:
    """What was tried, in the order of the families."""
    return [
        {"family": t.name, "settings": dict(t.settings), "repeats": len(t.runs), "mean": t.mean} for t in found.trials
    ]


def _notes(found: Fingerprint) -> tuple[str, ...]:
    """What is odd about the data, each with what to do."""
    notes = []
    if found.empty:
        notes.append(f"no values at all in {', '.join(found.empty[:10])}: leave these features out")
    if found.constant:
        notes.append(f"always the same value in {', '.join(found.constant[:10])}: they cannot help")
    if found.too_good:
        told = "each tells the outcome nearly alone" if len(found.too_good) > 1 else "alone nearly tells the outcome"
        notes.append(f"{', '.join(found.too_good[:10])} {told}: check for a leak")
    if found.duplicates:
        notes.append(f"{found.duplicates} cases equal another one in all features: they are kept in one fold")
    if found.missing > 0:
        share = "under 0.1%" if found.missing < 0.001 else f"{found.missing:.1%}"
        notes.append(f"{share} of the values are missing: they become the feature's median")
    return tuple(notes)


def _machine() -> dict[str, Any]:
    """Versions on which equal bits depend."""
    from importlib.metadata import version

    return {"versions": {n: version(n) for n in ("scikit-learn", "numpy", "scipy")}, "machine": platform.machine()}
