"""Models by command: what is given becomes the cases of a lake, by the model's own steps where it must be measured."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import pyarrow as pa

from radlake.core.errors import UsageError
from radlake.core.place import Place
from radlake.engine.api import run
from radlake.engine.inputs import require
from radlake.engine.local import Local
from radlake.engine.options import Engine, Progress, Silent
from radlake.engine.picture_masks import LakeMasks, masks_of, with_text
from radlake.engine.pictures import lake_pictures, pictures
from radlake.engine.pipeline import Pipeline, step
from radlake.lake.manifest import FILE_NAME
from radlake.lake.store import Lake
from radlake.learn.both import sees_images
from radlake.learn.bundle import Bundle, load
from radlake.learn.cases import Cohort, labelled, measured, with_pixels
from radlake.learn.clock import Plan, seconds
from radlake.learn.contract import refuse
from radlake.learn.explain.model import explain as told
from radlake.learn.explain.pictures import Picture
from radlake.learn.explain.pictures import explain_pictures as shown
from radlake.learn.journal import forget
from radlake.learn.model_stages import answers, external, keep, model_id_of, scored
from radlake.learn.predicting import predictions
from radlake.learn.training import Request, Trained, save_model, unseen
from radlake.learn.training import train as make

Inputs = Literal["features", "images", "both"]

# What is measured of published arrays, which come without a study: one region of each picture, by Otsu's threshold.
PLAIN = Pipeline(
    "plain", (step("deid"), step("fingerprint"), step("segment.otsu"), step("features"), step("duplicates"))
)


@dataclass(frozen=True)
class Setting:
    """How inputs that are no lake are taken in.

    Parameters
    ----------
    engine : Engine or None
        Local with all cores by default.
    key_file, private : Place or None
    patient_regex : str or None
    progress : Progress
    """

    engine: Engine | None = None
    key_file: Path | None = None
    private: Place | None = None
    patient_regex: str | None = None
    progress: Progress = field(default_factory=Silent)


def is_lake(path: Place) -> bool:
    """Whether a folder is a lake."""
    return (path / FILE_NAME).is_file()


@contextmanager
def lake_of(source: Place, study: Pipeline, setting: Setting, *, out: Path | None = None) -> Iterator[Lake]:
    """A lake as it is; anything else by a study into a new lake, which is gone in the end unless it has a place.

    Parameters
    ----------
    source : Place
        A lake, a folder, or a file.
    study : Pipeline
    setting : Setting
    out : Path, optional
        Where the new lake stays.
    """
    require([source])
    if is_lake(source):
        yield Lake.open(source, private=setting.private)
        return
    with tempfile.TemporaryDirectory(prefix=".radlake-") as folder:
        place = out or Path(folder) / "lake"
        run(
            study, source, place, engine=setting.engine, key_file=setting.key_file or _passing(folder, out),
            private=setting.private, patient_regex=setting.patient_regex, progress=setting.progress,
        )  # fmt: skip
        yield Lake.open(place, private=setting.private)


def _passing(folder: str, out: Path | None) -> Path | None:
    """A key that is gone with a lake that is, so that asking a model leaves nothing behind; else the user's own."""
    return None if out is not None else Path(folder) / "key"


def train(
    source: Place,
    asked: Request,
    place: Path,
    *,
    unit: str | None,
    setting: Setting,
    inputs: Inputs = "features",
    replay: Plan | None = None,
) -> Trained:
    """Train on a lake or a published archive; save the bundle, and in a lake the tables that the report shows.

    What the choice has finished is kept in a hidden folder beside the bundle's until that is saved: the same call after
    a kill goes on from there. Reading cases counts as part of the budget, measuring pictures that are no lake does not.

    Parameters
    ----------
    source : Place
    asked : Request
    place : Path
        Folder of the bundle.
    unit : str or None
        What a case is.
    setting : Setting
    inputs : {"features", "images", "both"}
        What the model sees: measured numbers, the pictures themselves, or the choice is among models of the numbers
        with and without what the pictures say.
    replay : Plan, optional
        What the clock decided in an earlier choice, to be repeated.
    """
    if place.exists() and any(place.iterdir()) and not (place / "bundle.json").is_file():
        raise UsageError(f"{str(place)!r} holds something else than a model; name a new folder")
    journal, began = place.parent / f".{place.name}.journal", time.monotonic()

    def choose(cohort: Cohort, pipeline: str | None = None) -> Trained:
        with _timed(setting.progress, asked) as tell:
            trained = make(
                cohort, asked, pipeline=pipeline, replay=replay, journal=journal, progress=tell,
                spent=time.monotonic() - began,
            )  # fmt: skip
        save_model(trained, place)
        forget(journal)
        return trained

    if inputs == "images":
        trained = choose(_pictures(source, setting, asked.target))
        if is_lake(source):
            lake = Lake.open(source, private=setting.private)
            save_model(trained, lake.models / keep(lake, trained, asked))
        return trained
    with lake_of(source, PLAIN, setting) as lake:
        began = time.monotonic()
        cohort = labelled(lake, asked.target, unit)
        if inputs == "both":
            cohort = with_pixels(cohort, _of_lake(lake, setting, asked.target))
        from_images = any(v is not None for v in cohort.attributes["modality"].tolist())
        trained = choose(cohort, study_of(lake) if from_images else None)
        if is_lake(source):
            save_model(trained, lake.models / keep(lake, trained, asked))
    return trained


@contextmanager
def _timed(progress: Progress, asked: Request) -> Iterator[Callable[[float, float], None]]:
    """Show the seconds of a choice that are gone, of those that it may take."""
    lock, shown = Lock(), 0
    progress.begin(f"choosing a model for {asked.target}, seconds", math.ceil(seconds(asked.budget)))

    def tell(gone: float, _: float) -> None:
        nonlocal shown
        with lock:  # folds of a network run in threads
            if int(gone) > shown:
                progress.advance(int(gone) - shown, 0)
                shown = int(gone)

    yield tell
    progress.end()


def _pictures(source: Place, setting: Setting, target: str | None = None) -> Cohort:
    """Pictures of a lake, an archive, a folder or a file."""
    require([source])
    if is_lake(source):
        return _of_lake(Lake.open(source, private=setting.private), setting, target)
    if not isinstance(source, Path):
        raise UsageError(
            "a model of pictures needs the pictures themselves: a lake, a .npz archive, a folder or a file"
        )
    return pictures(source, target)


def _of_lake(lake: Lake, setting: Setting, target: str | None = None) -> Cohort:
    """Pictures of a lake."""
    engine = setting.engine if isinstance(setting.engine, Local) else Local()
    return lake_pictures(
        lake, target, memory_bytes=engine.memory_bytes, workers=max(1, engine.workers), progress=setting.progress
    )  # fmt: skip


def _pixels_for(bundle: Bundle, lake: Lake, cohort: Cohort, setting: Setting) -> Cohort:
    """Cases with their pixels, where a model of features needs these as well."""
    return with_pixels(cohort, _of_lake(lake, setting)) if sees_images(bundle.fitted) else cohort


def study_of(lake: Lake) -> str | None:
    """The steps that measured a lake's images last, as YAML; None when they cannot measure other images."""
    rows = lake.sql("""
        SELECT pipeline FROM chains
        JOIN (SELECT chain_key, max(run_id) AS last FROM work WHERE unit = 'image' GROUP BY 1) USING (chain_key)
        ORDER BY last DESC LIMIT 1""")
    if not rows.num_rows:
        return None
    study = Pipeline.from_yaml(rows["pipeline"][0].as_py())
    kept = [s for s in study.steps if s.stage not in ("train", "predict", "evaluate", "learn.study", "nodules.study")]
    return Pipeline(study.name, kept).to_yaml() if any(s.stage == "features" for s in kept) else None


def steps_of(bundle: Bundle) -> Pipeline:
    """The study inside a bundle.

    Raises
    ------
    UsageError
        When it has none: then only a lake with the same features can be answered for.
    """
    if bundle.pipeline is None:
        raise UsageError(
            "the model was trained on features that no steps of radlake's made (outlines of a published data set), so"
            " that it cannot measure images; give a lake that holds the same features"
        )
    return Pipeline.from_yaml(bundle.pipeline)


def predict(model: Path, source: Place, *, out: Path | None, setting: Setting) -> list[dict[str, Any]]:
    """Answers for a lake, a folder or one image; written into the lake `out` where one is named.

    Parameters
    ----------
    model : Path
        Folder of a bundle, or a `.keras` file.
    source : Place
    out : Path or None
        A lake: the source itself, or a new one for what is no lake. None: nothing is written.
    setting : Setting
    """
    bundle = _opened(model)
    if not bundle.inputs:
        if out is not None:
            raise UsageError("answers for pictures go into a file: .csv or .parquet")
        return predictions(bundle, _pictures(source, setting))
    if is_lake(source):
        lake = Lake.open(source, private=setting.private)
        if out is None:
            return predictions(bundle, _measured(bundle, lake, setting))
        if out.resolve() != source.resolve():
            raise UsageError("predictions for a lake go into that lake, or into a file: .csv, .parquet or .json")
        return answers(lake, bundle, model_id_of(model), _measured(bundle, lake, setting))
    with lake_of(source, steps_of(bundle), setting, out=out) as lake:
        return answers(lake, bundle, model_id_of(model), _measured(bundle, lake, setting))


def _measured(bundle: Bundle, lake: Lake, setting: Setting) -> Cohort:
    """The cases of a lake that a model of features answers for, with their pixels where it needs them."""
    return _pixels_for(bundle, lake, measured(lake, (bundle.contract or {}).get("unit")), setting)


def _opened(model: Path, target: str | None = None) -> Bundle:
    """A bundle from its folder; a network in a `.keras` file as one that says nothing of where it comes from.

    Raises
    ------
    UsageError
        When the label is named and the bundle has another one.
    """
    if model.suffix == ".keras":
        from radlake.learn.keras_choice import bare

        return bare(model, target or "")
    bundle = load(model)
    if target not in (None, bundle.target):
        raise UsageError(f"the model answers {bundle.target!r}, not {target!r}; leave --target away")
    return bundle


def evaluate(
    model: Path, source: Place, *, split: str | None, seed: int, setting: Setting, target: str | None = None
) -> dict[str, Any]:
    """Scores on labelled cases that the model has not seen; in a lake they are also written.

    Parameters
    ----------
    model : Path
        Folder of a bundle, or a `.keras` file.
    source : Place
    split : str or None
        Published role to use only.
    seed : int
    setting : Setting
    target : str, optional
        Label, for a `.keras` file, which does not say it.
    """
    bundle = _opened(model, target)
    if not bundle.target:
        raise UsageError("a .keras file does not say what its classes are of: name the label by --target")
    if not bundle.inputs:
        return scored(bundle, _pictures(source, setting, bundle.target), split=split, seed=seed)
    study = PLAIN if is_lake(source) else steps_of(bundle)
    with lake_of(source, study, setting) as lake:
        cohort = labelled(lake, bundle.target, (bundle.contract or {}).get("unit"))
        return external(
            lake, bundle, model_id_of(model), _pixels_for(bundle, lake, cohort, setting), split=split, seed=seed
        )


def as_table(found: Sequence[dict[str, Any]]) -> pa.Table:
    """Answers as a table: classes that cannot be ruled out as one text."""
    flat = [{k: "|".join(map(str, v)) if isinstance(v, list) else v for k, v in row.items()} for row in found]
    names = list(flat[0]) if flat else []
    return pa.table({n: [str(r[n]) if n == "answer" and r[n] is not None else r[n] for r in flat] for n in names})


def explain(model: Path, source: Place, *, seed: int, setting: Setting) -> dict[str, Any]:
    """What a model of features looks at, on the cases of a lake (the labelled ones where there are some), or a folder.

    Raises
    ------
    UsageError
        When the model is one of pictures: see `explain_pictures`.
    """
    bundle = load(model)
    unit = (bundle.contract or {}).get("unit")
    with lake_of(source, PLAIN if is_lake(source) else steps_of(bundle), setting) as lake:
        known = lake.sql("SELECT DISTINCT target FROM labels")["target"].to_pylist()
        cohort = labelled(lake, bundle.target, unit) if bundle.target in known else measured(lake, unit)
        if bundle.contract is not None:
            refuse(bundle.contract, cohort)
        return told(bundle, _pixels_for(bundle, lake, cohort, setting), seed=seed)


def explain_pictures(
    bundle: Bundle, source: Place, *, masks: Path | None, most: int, seed: int, setting: Setting
) -> list[Picture]:
    """Where a model of pictures looks, on cases that it was not trained on where there are such.

    Parameters
    ----------
    bundle : Bundle
    source : Place
        A lake, an archive, a folder or a file. Of a lake only pictures without text in them are shown.
    masks : Path or None
        See `radlake.engine.picture_masks.masks_of`; a lake has masks of its own.
    most : int
        Pictures to explain.
    seed : int
    setting : Setting
    """
    if masks is not None:
        require([masks])
    archive = isinstance(source, Path) and source.suffix == ".npz"
    cohort = _pictures(source, setting, bundle.target if archive else None)
    new = unseen(bundle.evidence, cohort.ids, cohort.features)
    outlined: Mapping[str, Any] = {}
    hidden: set[str] = set()
    if is_lake(source):
        lake = Lake.open(source, private=setting.private)
        outlined, hidden = LakeMasks(lake, memory_bytes=_memory(setting)), with_text(lake)
    elif isinstance(source, Path):
        outlined = masks_of(source, masks)
    cases = cohort.part(new) if new.any() else cohort
    return shown(bundle, cases, masks=outlined, hidden=hidden, most=most, seed=seed)


def _memory(setting: Setting) -> int:
    """Memory for images under way."""
    engine = setting.engine if isinstance(setting.engine, Local) else Local()
    return engine.memory_bytes
