"""Commands for what grows: cluster, watch, compact, model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.cohort import fresh_report
from radlake.cli.common import (
    CORES,
    Archive,
    EngineName,
    ExecutorMemory,
    Folders,
    KeyFile,
    LakePath,
    Master,
    OutLake,
    Private,
    Quiet,
    Workers,
    app,
    examples,
    make_engine,
    open_lake,
    parse_memory,
)
from radlake.core.place import place

if TYPE_CHECKING:
    from radlake.engine.run import Summary

cluster = typer.Typer(help="A Spark cluster to run on.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cluster, name="cluster")

model = typer.Typer(help="Models that a lake can predict with.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(model, name="model")

CHECK_EXAMPLES = examples(
    "cluster check --master spark://head:7077",
    "cluster check --master spark://head:7077 --source /data/scans --lake hdfs://head:8020/lake",
)


@cluster.command("check", epilog=CHECK_EXAMPLES)
def cluster_check(
    master: Annotated[str, typer.Option(metavar="URL", help="Such as spark://HOST:7077.", show_default=False)],
    source: Annotated[
        list[str] | None, typer.Option(metavar="FOLDER", help="A place that workers must read.", show_default=False)
    ] = None,
    lake: Annotated[
        Any, typer.Option(parser=place, metavar="LAKE", help="A lake that workers must write to.", show_default=False)
    ] = None,
    private: Private = None,
    executor_memory: ExecutorMemory = "",
    archive: Archive = "",
    key_file: KeyFile = None,
) -> None:
    """Ask every worker of a cluster for its Python, packages, key, and the places of a run.

    Ends with 1 when a worker is not ready, and says what to change.
    """
    from radlake.deid.keys import fingerprint, load_key
    from radlake.engine.spark import Spark
    from radlake.engine.spark.check import check, lines

    key = load_key(key_file, create=False)
    places = [(str(place(s)), False) for s in source or ()]
    places += [(str(p), True) for p in (lake, private) if p is not None]
    engine = Spark(master, executor_memory=executor_memory, archive=archive)
    known = str(Path(key_file).expanduser().absolute()) if key_file else ""
    workers = check(engine, fingerprint(key), known, places)
    for line in lines(workers):
        typer.echo(line)
    if any(w.problems for w in workers):
        raise typer.Exit(1)


CLUSTER_TRAIN_EXAMPLES = examples(
    "cluster train /shared/x.npy /shared/y.npy --target malignant --out model --master spark://head:7077 --processes 4",
)


@cluster.command("train", epilog=CLUSTER_TRAIN_EXAMPLES)
def cluster_train(
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="Array (.npy), one image a row.", show_default=False)
    ],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="Array (.npy), one a row.", show_default=False)],
    target: Annotated[str, typer.Option(metavar="LABEL", help="Name of what is learned.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="MODEL", help="Folder for the model.", show_default=False)],
    processes: Annotated[int, typer.Option(min=2, metavar="N", help="That share the training.", show_default=False)],
    master: Master = "local[2,4]",
    value: Annotated[bool, typer.Option("--value", help="Labels are values; by default they are classes.")] = False,
    network: Annotated[str, typer.Option(metavar="NAME", help="Such as vgg-small or resnet-18.")] = "vgg-small",
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Times that each image is seen.")] = 20,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Images a step, of all processes together.")] = 64,
    rate: Annotated[float, typer.Option(min=0, metavar="X", help="Highest learning rate.")] = 3e-3,
    augment: Annotated[str, typer.Option(metavar="KIND", help="What images are: xray, us, ct, mr, any ...")] = "mild",
    patience: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many epochs without progress.")
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Array (.npy) with each image's patient, for --patience.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Shared folder: the same line goes on from there.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of weights and order.")] = 0,
    executor_memory: ExecutorMemory = "",
    archive: Archive = "",
) -> None:
    """Train one network by several processes of a cluster, which share every batch.

    The arrays must be reachable from every worker under the same name. The number of processes changes the model only
    by rounding, and by what is drawn at random for single images.
    """
    from radlake.engine.spark import Spark
    from radlake.engine.spark.deep import Arrays, bundle, fit_network
    from radlake.learn.bundle import save
    from radlake.learn.deep import ImageClassifier, ImageRegressor

    kind = ImageRegressor if value else ImageClassifier
    model = kind(
        network, epochs=epochs, batch=batch, rate=rate, augment=augment, patience=patience,
        checkpoint=None if checkpoint is None else str(checkpoint.absolute()), seed=seed,
    )  # fmt: skip
    data = Arrays(str(images.absolute()), str(labels.absolute()), str(groups.absolute()) if groups else "")
    engine = Spark(master, executor_memory=executor_memory, archive=archive)
    trained = fit_network(engine, model, data, processes=processes)
    save(bundle(trained, target), out)
    typer.echo(f"{len(trained.history_.losses)} epochs, loss {trained.history_.losses[-1]:.4f}; model: {out}")


WATCH_EXAMPLES = examples(
    "watch /data/incoming --out lake",
    "watch /data/incoming --out lake --every 60 --settle 120 --config study.yaml",
)


@app.command(epilog=WATCH_EXAMPLES)
def watch(
    folders: Folders,
    out: OutLake,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Study as YAML; without it the default study.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="From one look to the next.")] = 5.0,
    settle: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="How long a file must stand still to be complete.")
    ] = 10.0,
    idle: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="End when nothing has come for so long.")
    ] = None,
    workers: Workers = CORES,
    memory: Annotated[
        Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For the images under way together.")
    ] = "4GiB",
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Longest time for one file, series or image.")
    ] = 600.0,
    engine: Annotated[EngineName, typer.Option(help="What does the work.")] = EngineName.local,
    master: Master = "local[2,4]",
    executor_memory: ExecutorMemory = "",
    archive: Archive = "",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Its first group names the patient in a path.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Take up files as they arrive, each exactly once, until Ctrl-C.

    A file is taken up when its size and time have stood still, and its name is none that copying programs give to
    unfinished files. It may be stopped or killed at any moment: started again, it goes on.
    """
    from radlake.engine.api import run
    from radlake.engine.pipeline import Pipeline
    from radlake.engine.watch import watch as look

    study = Pipeline.from_file(config) if config else None
    chosen = make_engine(engine, (workers, memory, timeout), (master, executor_memory, archive))

    def begin(files: list[str]) -> Summary:
        return run(study, files, out, engine=chosen, key_file=key_file, private=private, patient_regex=patient_regex)

    try:
        if not quiet:
            typer.echo("watching; Ctrl-C ends")
        for count, summary in look(begin, folders, every_s=every, settle_s=settle, idle_s=idle):
            fresh_report(open_lake(out, private))
            if not quiet:
                files = ", ".join(f"{n:,} {status}" for status, n in sorted(summary.files.items()))
                typer.echo(f"{count:,} file{'s' * (count != 1)} taken up; now in the lake: {files}")
    except KeyboardInterrupt:
        if not quiet:
            typer.echo("stopped; the same command goes on where this one was")


@app.command()
def compact(
    lake: LakePath,
    target: Annotated[int, typer.Option(min=1, metavar="MIB", help="Size of the files to be.")] = 128,
    keep_hours: Annotated[
        int, typer.Option(min=0, metavar="HOURS", help="Replaced files stay so long, for queries and older versions.")
    ] = 168,
    private: Private = None,
) -> None:
    """Merge the small files of a lake's tables; the rows stay the same. May be stopped at any moment.

    Worth it when the lake grew by many small runs, such as a watch: queries open fewer files.
    """
    from radlake.lake.maintain import compact as merge
    from radlake.lake.maintain import sweep

    opened = open_lake(lake, private)
    merged = merge(opened, target_mib=target, keep_hours=keep_hours)
    swept = sweep(opened)
    typer.echo(f"{merged:,} small files merged, {swept.files:,} left by killed workers removed")


@model.command("add")
def model_add(
    lake: LakePath,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a saved model of images.", show_default=False)],
    private: Private = None,
) -> None:
    """Copy a model of images into a lake and print its id, by which the step `predict` finds it."""
    from radlake.engine.predict import keep

    typer.echo(keep(open_lake(lake, private), folder))
