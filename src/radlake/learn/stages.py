"""Where tables become cases and results become rows: the door between the lake and the pure functions of this room."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow.compute as pc

from radlake.core.errors import UsageError
from radlake.core.ids import derived_id
from radlake.core.stage import Row, Stage
from radlake.lake.durable import filled_folder, remove_folder
from radlake.learn import curves
from radlake.learn.bundle import Bundle, save
from radlake.learn.cases import labelled
from radlake.learn.classical import MODELS
from radlake.learn.study import Bools, Cases, Entry, Score, answers, differences, entries, scores
from radlake.learn.tables import Tables, write
from radlake.learn.validate import Answers, fit, holds_rows

_THRESHOLDS = np.arange(1, 100) / 100
_REPLICATES = 2000  # percentile ends move by about a hundredth of the interval's width


@dataclass(frozen=True)
class Design:
    """How a study was done: everything that decides its numbers beside the cases."""

    target: str
    unit: str
    baselines: tuple[str, ...]
    stratum_by: str | None
    stratum_from: float
    stratum_to: float
    folds: int
    repeats: int
    seed: int

    @property
    def owner(self) -> str:
        """Owner of the rows that the study leaves."""
        return f"study:{self.unit}:{self.target}"


def study(  # noqa: PLR0913 - a step's parameters are its schema
    lake: Tables,
    *,
    target: str,
    unit: str = "mask",
    baselines: tuple[str, ...] = (),
    stratum_by: str | None = None,
    stratum_from: float = 0.0,
    stratum_to: float = 1e9,
    folds: int = 5,
    repeats: int = 3,
    seed: int = 0,
) -> None:
    """Compare models on all features with one-feature baselines, and write what came out.

    Fills `splits`, `models`, `predictions`, `scores` and `curves` with rows owned by this target; those of other
    studies stay. Every model is also fitted on all cases and saved in the folder `models`.

    Parameters
    ----------
    lake : Tables
        With `labels` and `features`.
    target : str
        Name of a label with values 0 and 1.
    unit : {"mask", "image"}
        What a case is. Labels of images, series, studies and patients are passed down to images.
    baselines : tuple of str
        Features that are tested alone, fixed before any result is seen.
    stratum_by : str, optional
        A feature; cases from `stratum_from` to `stratum_to` (in its unit) are also scored on their own.
    folds : int
        Outer folds, and as many inner ones for the choice of settings.
    repeats, seed : int
        How often the outer folds are drawn, and the first seed.

    Raises
    ------
    UsageError
        When there are no such labels, a label is neither 0 nor 1, patients are unknown, a baseline is no feature, or
        a class has fewer patients than folds.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    design = Design(target, unit, tuple(baselines), stratum_by, stratum_from, stratum_to, folds, repeats, seed)
    with threadpool_limits(1):  # sums in another order would give other last bits
        _study(lake, design)


def _study(lake: Tables, design: Design) -> None:
    """Read cases, compare, write rows."""
    cases, units = read_cases(lake, design)
    try:
        compared = entries(cases.names, design.baselines, MODELS)
        found, seconds = _answers(cases, compared, design)
    except ValueError as error:  # our own messages: about features, classes and folds
        raise UsageError(f"study of {design.target!r}: {error}") from None
    strata = _strata(cases, units, design)
    rows = scores(cases, found, strata, replicates=_REPLICATES, seed=design.seed)
    rows += differences(cases, found, compared, strata, replicates=_REPLICATES, seed=design.seed)
    models = _models(cases, compared, found, seconds, design)
    ids = {name: row["model_id"] for name, row in models.items()}
    _keep(lake, cases, compared, ids, design)
    write(lake, "models", design.owner, list(models.values()))
    write(lake, "splits", design.owner, list(_splits(cases, next(iter(found.values())), design)))
    write(lake, "predictions", design.owner, list(_predictions(cases, found, ids, design)))
    write(lake, "scores", design.owner, [_score(row, ids, design) for row in rows])
    write(lake, "curves", design.owner, list(_curves(cases, found, strata, ids, design)))


def read_cases(lake: Tables, design: Design) -> tuple[Cases, dict[str, str]]:
    """Cases in the order of their ids, and the unit of each feature.

    Raises
    ------
    UsageError
        As in `study`.
    """
    found = labelled(lake, design.target, design.unit)
    if set(np.unique(found.y).tolist()) != {0, 1}:
        raise UsageError(f"label {design.target!r} must hold 0 and 1, both of them, to be studied")
    if unknown := int((found.patients == "").sum()):
        raise UsageError(
            f"{unknown} of {len(found.ids)} cases have no known patient: results would count one person as many;"
            " give --patient-regex or a table with patients"
        )
    return Cases(found.ids, found.patients, found.features, found.names, found.y.astype(np.int64)), found.units


def _answers(cases: Cases, compared: Sequence[Entry], design: Design) -> tuple[dict[str, Answers], dict[str, float]]:
    """Answers of every entry, and the seconds each took."""
    found: dict[str, Answers] = {}
    seconds = {}
    for entry in compared:
        started = time.perf_counter()
        found |= answers(
            cases, [entry], folds=design.folds, inner=design.folds, repeats=design.repeats, seed=design.seed
        )
        seconds[entry.name] = time.perf_counter() - started
    return found, seconds


def _strata(cases: Cases, units: dict[str, str], design: Design) -> dict[str, Bools]:
    """All cases, and those of the stratum."""
    strata = {"all": np.ones(len(cases.y), dtype=np.bool_)}
    name = design.stratum_by
    if name is None:
        return strata
    if name not in cases.names:
        raise UsageError(f"stratum_by: {name!r} is no feature; there are {', '.join(cases.names)}")
    values = cases.features[:, cases.names.index(name)]
    label = f"{name} {design.stratum_from:g} to {design.stratum_to:g} {units[name]}"
    return strata | {label: (values >= design.stratum_from) & (values <= design.stratum_to)}


def _models(
    cases: Cases, compared: Sequence[Entry], found: dict[str, Answers], seconds: dict[str, float], design: Design
) -> dict[str, Row]:
    """Rows of `models` by entry. The id follows from the data, the design and the model."""
    data = hashlib.sha256(repr(cases.names).encode())
    for array in (cases.ids.astype("U"), cases.patients.astype("U"), cases.y, cases.features):
        data.update(np.ascontiguousarray(array).tobytes())
    rows: dict[str, Row] = {}
    for entry in compared:
        chosen = Counter(json.dumps(dict(s), sort_keys=True) for s in found[entry.name].settings)
        settings = {
            "baseline": entry.baseline,
            "chosen": {text: chosen[text] for text in sorted(chosen)},
            "data": data.hexdigest(),
            "design": asdict(design),
            "grid": [dict(s) for s in entry.model.grid],
            "model": entry.model.name,
        }
        text = json.dumps(settings, sort_keys=True)
        rows[entry.name] = {
            "owner": design.owner,
            "model_id": derived_id("model", entry.name, text),
            "name": entry.name,
            "target": design.target,
            "inputs": json.dumps(entry.inputs),
            "settings": text,
            "seconds": seconds[entry.name],
        }
    return rows


def _keep(lake: Tables, cases: Cases, compared: Sequence[Entry], ids: Mapping[str, str], design: Design) -> None:
    """Fit every entry on all cases and save it; bundles of this study's earlier models go."""
    known = lake.read("models")
    earlier = set(known.filter(pc.equal(known["owner"], design.owner))["model_id"].to_pylist())
    for entry in compared:
        features = cases.features[:, [cases.names.index(name) for name in entry.inputs]]
        rng = np.random.default_rng(design.seed)
        fitted = fit(entry.model, features, cases.y, cases.patients, folds=design.folds, rng=rng)
        evidence = {"holds_rows": holds_rows(fitted.pipeline)}
        with filled_folder(lake.models / ids[entry.name]) as folder:
            save(Bundle(entry.name, design.target, entry.inputs, fitted, evidence), folder)
    for gone in earlier - set(ids.values()):
        remove_folder(lake.models / gone)


def _split_id(design: Design, repeat: int) -> str:
    """Name of one drawing of the folds."""
    return f"{design.owner}:{design.seed + repeat}"


def _splits(cases: Cases, given: Answers, design: Design) -> Iterator[Row]:
    """Rows of `splits`: the fold that tests a case in each repeat."""
    for repeat, folds in enumerate(given.fold.tolist()):
        for unit_id, patient, fold in zip(cases.ids.tolist(), cases.patients.tolist(), folds, strict=True):
            yield {
                "owner": design.owner,
                "split_id": _split_id(design, repeat),
                "unit": design.unit,
                "unit_id": unit_id,
                "patient_id": patient,
                "fold": fold,
                "role": "test",
            }


def _predictions(cases: Cases, found: dict[str, Answers], ids: dict[str, str], design: Design) -> Iterator[Row]:
    """Rows of `predictions`: one per entry, repeat and case."""
    for name, given in found.items():
        for repeat, (folds, answered) in enumerate(zip(given.fold.tolist(), given.probability.tolist(), strict=True)):
            for i, (fold, probability) in enumerate(zip(folds, answered, strict=True)):
                unit_id = str(cases.ids[i])
                yield {
                    "owner": design.owner,
                    "prediction_id": derived_id("prediction", ids[name], unit_id, str(repeat)),
                    "model_id": ids[name],
                    "unit": design.unit,
                    "unit_id": unit_id,
                    "patient_id": str(cases.patients[i]),
                    "target": design.target,
                    "split_id": _split_id(design, repeat),
                    "repeat": repeat,
                    "fold": fold,
                    "probability": probability,
                }


def _score(score: Score, ids: dict[str, str], design: Design) -> Row:
    """Row of `scores`; what is not defined is null."""
    return {
        "owner": design.owner,
        "model_id": ids[score.entry],
        "target": design.target,
        "stratum": score.stratum,
        "metric": score.metric,
        "value": score.value if np.isfinite(score.value) else None,
        "low": score.low if np.isfinite(score.low) else None,
        "high": score.high if np.isfinite(score.high) else None,
        "cases": score.cases,
        "patients": score.patients,
        "note": score.note or None,
    }


def _curves(
    cases: Cases, found: dict[str, Answers], strata: dict[str, Bools], ids: dict[str, str], design: Design
) -> Iterator[Row]:
    """Rows of `curves`, drawn from each case's mean probability over the repeats; model_id is null for treat-all."""
    for stratum, chosen in strata.items():
        y = cases.y[chosen]
        if not 0 < y.sum() < len(y):
            continue
        drawn: list[tuple[str | None, str, curves.Curve]] = []
        for name, given in found.items():
            p = given.probability[:, chosen].mean(axis=0)
            drawn.append((ids[name], "roc", curves.roc(y, p)))
            drawn.append((ids[name], "calibration", curves.calibration(y, p)))
            drawn.append((ids[name], "decision", curves.Curve(_THRESHOLDS, curves.net_benefit(y, p, _THRESHOLDS))))
        everybody = curves.net_benefit(y, np.ones(len(y)), _THRESHOLDS)
        drawn.append((None, "decision", curves.Curve(_THRESHOLDS, everybody)))
        for model_id, kind, curve in drawn:
            for x, up in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
                yield {
                    "owner": design.owner,
                    "model_id": model_id,
                    "target": design.target,
                    "stratum": stratum,
                    "curve": kind,
                    "x": x,
                    "y": up,
                }


STAGES: dict[str, Stage] = {
    "learn.study": Stage(
        name="learn.study",
        version=1,
        shape="whole",
        over="lake",
        reads=("labels", "features"),
        adds=("splits", "models", "predictions", "scores", "curves"),
        function=study,
    ),
}
