"""Commands on models: train, predict, evaluate, fetch."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.common import CORES, AsJson, KeyFile, Private, Quiet, UnitName, Workers, app, examples, parse_memory
from radlake.core.errors import UsageError
from radlake.core.place import place

if TYPE_CHECKING:
    from radlake.engine.learning import Setting
    from radlake.engine.options import Progress
    from radlake.learn.families import Task
    from radlake.learn.training import Trained

TRAIN_EXAMPLES = examples(
    "train LAKE --target malignant --out model",
    "train LAKE --target relapse --budget 5m --prefer readable --operating sens=0.95 --out model",
    "train breastmnist.npz --target label --inputs images --out model",
    "train LAKE --task cluster",
)
PREDICT_EXAMPLES = examples("predict model LAKE --out answers.csv", "predict model scans/ --out new-lake")
FETCH_EXAMPLES = examples("fetch medmnist/breastmnist", "fetch medmnist/breastmnist --from copy.npz")
EVALUATE_EXAMPLES = examples(
    "evaluate model LAKE",
    "evaluate model LAKE --split test --out page",
    "evaluate network.keras digits.npz --target label --split test",
)


class TaskName(StrEnum):
    """What a model answers."""

    auto = "auto"
    binary = "binary"
    multiclass = "multiclass"
    regression = "regression"
    cluster = "cluster"


TASKS: dict[TaskName, Task | None] = {
    TaskName.auto: None, TaskName.binary: "binary", TaskName.multiclass: "multiclass",
    TaskName.regression: "regression", TaskName.cluster: None,
}  # fmt: skip


class Grouping(StrEnum):
    """What is kept together."""

    patient = "patient"
    case = "case"


class Preference(StrEnum):
    """What a choice gives weight to."""

    accuracy = "accuracy"
    balanced = "balanced"
    readable = "readable"


class InputName(StrEnum):
    """What a model sees."""

    features = "features"
    images = "images"
    both = "both"


class DeviceName(StrEnum):
    """Where networks are trained."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a model.", show_default=False)]
ModelOrNetwork = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder of a model, or a .keras file.", show_default=False)
]
Regex = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Its first group names the patient in a path; for inputs that are no lake."),
]


@app.command(epilog=TRAIN_EXAMPLES)
def train(
    source: Annotated[
        Any, typer.Argument(parser=place, metavar="LAKE", help="A lake, or a published .npz.", show_default=False)
    ],
    target: Annotated[str | None, typer.Option(metavar="LABEL", help="Label to learn.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="MODEL", help="Folder for the model.")] = None,
    task: Annotated[
        TaskName, typer.Option(help="What to answer; cluster looks for groups without a label, as `groups` does.")
    ] = TaskName.auto,
    unit: Annotated[UnitName, typer.Option(help="What a case is: by default what the label is about.")] = UnitName.auto,
    inputs: Annotated[
        InputName, typer.Option(help="What the model sees: measured numbers, the pictures, or both.")
    ] = InputName.features,
    group: Annotated[Grouping, typer.Option(help="What is never on both sides of a split.")] = Grouping.patient,
    budget: Annotated[str, typer.Option(metavar="TIME", help="For everything, such as 90s or 10m.")] = "10m",
    prefer: Annotated[Preference, typer.Option(help="What to give weight to.")] = Preference.balanced,
    operating: Annotated[
        str, typer.Option(metavar="POINT", help="Where to act: sens=0.95, spec=0.9, p=0.2 or youden.")
    ] = "youden",
    models: Annotated[str, typer.Option(metavar="A,B", help="Families to choose among; all by default.")] = "",
    folds: Annotated[
        int, typer.Option(min=2, metavar="N", help="Of the cross-validation; fewer where patients are few.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of folds, models and bootstrap.")] = 0,
    device: Annotated[
        DeviceName, typer.Option(help="Where networks are trained: by default on a GPU where there is one.")
    ] = DeviceName.auto,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="PLAN", help="Repeat the choice of this model (or its plan as JSON), whatever the time."),
    ] = None,
    workers: Workers = CORES,
    memory: Annotated[
        Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For images under way, and for learning.")
    ] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Regex = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Choose a model for a label, with the evidence for the choice, and save it.

    Families that fit the data are compared on patients held out in turn, within the budget; of those that are as good
    as the best, the most readable is taken. A published test part takes no part in any choice. The same command after a
    kill goes on from what was finished, and the time of both counts.
    """
    if task is TaskName.cluster:
        from radlake.cli.groups import By, groups

        groups(source, unit=unit, clusters=6, by=By.pca, seed=seed, private=private, quiet=quiet, as_json=as_json)
        return
    if target is None or out is None:
        raise UsageError("name the label to learn by --target and the folder for the model by --out")
    from radlake.engine.learning import train as start
    from radlake.engine.progress import shown
    from radlake.learn.bundle import plan_of
    from radlake.learn.evaluation.operating import parse
    from radlake.learn.training import Request
    from radlake.report.model_page import write

    asked = Request(
        target, TASKS[task], group.value, budget, prefer.value, parse(operating),
        tuple(name.strip() for name in models.split(",") if name.strip()), folds=folds, seed=seed,
        device=device.value, workers=workers, memory_bytes=memory,
    )  # fmt: skip
    with shown(quiet=quiet or as_json) as progress:
        setting = setting_of(workers, memory, key_file, private, patient_regex, progress)
        trained = start(
            source, asked, out, unit=None if unit is UnitName.auto else unit.value, setting=setting,
            inputs=inputs.value, replay=None if replay is None else plan_of(replay),
        )  # fmt: skip
    write(out, name=trained.bundle.name, target=asked.target, evidence=trained.bundle.evidence or {})
    if as_json:
        typer.echo(json.dumps(_summary(trained) | {"model": str(out)}))
    elif not quiet:
        _tell(trained, out)


def setting_of(
    workers: int, memory: int, key_file: Path | None, private: Path | None, patient_regex: str | None,
    progress: Progress,
) -> Setting:  # fmt: skip
    """How inputs that are no lake are taken in."""
    from radlake.engine.learning import Setting
    from radlake.engine.local import Local

    return Setting(Local(workers, memory), key_file, private, patient_regex, progress)


def _summary(trained: Trained) -> dict[str, Any]:
    """What was chosen, why, and how good it is."""
    evidence = trained.bundle.evidence or {}
    kept = ("reason", "expectation", "notes", "picks", "evaluation", "operating", "test", "test_distinct", "leakage",
            "confusion", "compute")  # fmt: skip
    return {
        "chosen": evidence["table"][0]["family"], "title": trained.bundle.name, "target": trained.bundle.target,
        "task": evidence["task"], "honest": evidence["honest"], "table": evidence["table"],
        **{name: evidence[name] for name in kept if name in evidence},
    }  # fmt: skip


def _tell(trained: Trained, out: Path) -> None:
    """The table, the reason and the scores in words."""
    evidence = trained.bundle.evidence or {}
    typer.echo(evidence["expectation"])
    for text in evidence["notes"]:
        typer.echo(f"note: {text}")
    typer.echo("\n" + _selection(evidence["table"]) + "\n")
    typer.echo(evidence["reason"])
    for part, title in (
        ("evaluation", "patients held out in turn"),
        ("test", "published test part, used for no choice"),
        ("test_distinct", "of these, those that resemble no training case"),
    ):
        if rows := evidence.get(part):
            typer.echo(f"\n{title}:\n{scores(rows)}")
    for check in evidence["leakage"]:
        if check["level"] in ("look", "bad"):
            typer.echo(f"check {check['name']}: {check['message']}")
    typer.echo(f"\nmodel: {out}")


def _selection(lines: list[dict[str, Any]]) -> str:
    """The table of families."""
    import pyarrow as pa

    from radlake.engine import show

    shown = [line for line in lines if line["mean"] is not None]
    columns = {
        "family": [line["title"] for line in shown],
        "verdict": [line["verdict"] for line in shown],
        "score": [f"{line['mean']:.3f} ± {line['standard_error']:.3f}" for line in shown],
        "Brier": ["" if line["brier"] is None else f"{line['brier']:.3f}" for line in shown],
        "fit s": [f"{line['fit_seconds']:.2g}" for line in shown],
        "case ms": [f"{line['predict_ms']:.2g}" for line in shown],
        "MB": [f"{line['megabytes']:.2g}" for line in shown],
        "numbers": [str(line["complexity"]) for line in shown],
        "readable": [line["grade"] for line in shown],
    }
    return show.as_text(pa.table(columns))


def scores(rows: list[dict[str, Any]]) -> str:
    """Scores with intervals, one a line."""
    import pyarrow as pa

    from radlake.engine import show

    def number(value: float | None) -> str:
        return "not defined" if value is None else f"{value:.3f}"

    ends = ["" if r["low"] is None else f"{number(r['low'])} to {number(r['high'])}" for r in rows]
    columns = {
        "score": [r["metric"].replace("_", " ") for r in rows],
        "value": [number(r["value"]) for r in rows],
        "95% interval": ends,
        "by": [r["method"] for r in rows],
    }
    return show.as_text(pa.table(columns))


@app.command(epilog=PREDICT_EXAMPLES)
def predict(
    model: ModelOrNetwork,
    source: Annotated[
        Any, typer.Argument(parser=place, metavar="INPUT", help="A lake, a folder, or one image.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(metavar="LAKE|FILE", help="A lake, or a table: .csv or .parquet.")] = None,
    workers: Workers = CORES,
    memory: Annotated[Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For images under way.")] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Regex = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Let a model answer. What is no lake is first de-identified, segmented and measured by the model's own steps."""
    from radlake.engine import show
    from radlake.engine.learning import as_table
    from radlake.engine.learning import predict as start
    from radlake.engine.progress import shown
    from radlake.engine.tabled import check_suffix, write_table

    file = out is not None and out.suffix.lower() in (".csv", ".parquet")
    if out is not None and out.suffix and not file and not out.is_dir():
        check_suffix(out)
    with shown(quiet=quiet or as_json) as progress:
        setting = setting_of(workers, memory, key_file, private, patient_regex, progress)
        found = start(model, source, out=None if file else out, setting=setting)
    table = as_table(found)
    if file and out is not None:
        write_table(table, out)
    outside = sum(row["outside"] for row in found)
    if as_json:
        typer.echo(json.dumps(found))
        return
    if out is None:
        typer.echo(show.as_text(table))
    if not quiet:
        unsure = sum(row["sure"] is False for row in found)
        typer.echo(f"{len(found):,} answers; {outside:,} for cases unlike those of training, {unsure:,} not sure")
        if out is not None:
            typer.echo(f"written to {out}")


@app.command(epilog=EVALUATE_EXAMPLES)
def evaluate(
    model: ModelOrNetwork,
    source: Annotated[
        Any,
        typer.Argument(
            parser=place, metavar="LAKE", help="A lake with labels, or a published .npz.", show_default=False
        ),
    ],
    split: Annotated[
        str | None, typer.Option(metavar="ROLE", help="Only cases of this published role; all new ones by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for a page with all figures.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="LABEL", help="Label, for a bare .keras file, which does not say it.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the bootstrap.")] = 0,
    workers: Workers = CORES,
    memory: Annotated[Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For images under way.")] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Regex = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score a model on labelled cases that it was not trained on; nothing is fitted."""
    from radlake.engine.learning import evaluate as start
    from radlake.engine.progress import shown
    from radlake.report.evaluation_page import write

    with shown(quiet=quiet or as_json) as progress:
        setting = setting_of(workers, memory, key_file, private, patient_regex, progress)
        found = start(model, source, split=split, seed=seed, target=target, setting=setting)
    if out is not None:
        page = write(found, out)
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(
        f"{found['model']} for {found['target']}: {found['cases']:,} cases of {found['patients']:,} patients"
        f" ({found['split']}); {found['left_out']:,} cases of the training were left out, {found['outside']:,} are"
        " unlike those of training"
    )
    typer.echo(scores(found["scores"]))
    for row in found["subgroups"]:
        if row["gap_low"] is not None and (row["gap_low"] > 0 or row["gap_high"] < 0):
            typer.echo(f"gap: {row['by']} {row['value']}: {row['metric']} {row['score']:.3f}, {row['gap']:+.3f}")
    if out is not None:
        typer.echo(f"page: {page}")


@app.command(epilog=FETCH_EXAMPLES)
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as medmnist/breastmnist.", show_default=False)],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="By default the set's name, here.")] = None,
    local: Annotated[Path | None, typer.Option("--from", metavar="FILE", help="A copy that is there already.")] = None,
) -> None:
    """Get a published data set by name, check it, and show its licence."""
    from radlake.engine.fetch import SETS
    from radlake.engine.fetch import fetch as get

    file, words = get(name, out, local=local)
    typer.echo(f"{name}: licence {SETS[name].licence}; cite {SETS[name].cite}")
    typer.echo(f"written to {file}; {words}")
