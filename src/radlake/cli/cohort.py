"""Commands that take scans into a lake: plan, run, demo."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.common import (
    CORES,
    Archive,
    AsJson,
    EngineName,
    ExecutorMemory,
    Folders,
    KeyFile,
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
from radlake.core.place import Place, Remote, place

if TYPE_CHECKING:
    from radlake.engine.run import Summary
    from radlake.lake.store import Lake

RUN_EXAMPLES = examples(
    "run scans/ --out lake",
    "run ct/ mr/ --out lake --config study.yaml --workers 8 --memory 16GiB",
    "run png/ --out lake --patient-regex '/(P[0-9]+)/'",
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", show_default=False)] = False,
) -> None:
    """From a folder of medical scans to a de-identified, quality-checked, searchable cohort and its models."""
    if version:
        import radlake

        typer.echo(f"radlake {radlake.__version__}")
        raise typer.Exit


@app.command()
def plan(
    folders: Folders,
    workers: Workers = CORES,
    out: Annotated[
        Any, typer.Option(parser=place, metavar="LAKE", help="Where the lake would be: is there room?")
    ] = ".",
    as_json: AsJson = False,
) -> None:
    """Look before the run: what is there, what will fail, time, memory and disk. Writes nothing."""
    from radlake.engine import plan as planning

    found = planning.plan(folders)
    if as_json:
        typer.echo(json.dumps({**vars(found), "hints": found.hints(), "seconds": found.seconds(workers)}))
        return
    for line in found.lines(workers, planning.free_bytes(out)):
        typer.echo(line)


@app.command(epilog=RUN_EXAMPLES)
def run(
    folders: Folders,
    out: OutLake,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Study as YAML; without it the default study.")
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
        str | None,
        typer.Option(
            metavar="REGEX", help="Its first group names the patient in a path, for files that hold no PatientID."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unforeseen problem.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """The main job: take folders into a lake, check, de-identify, segment, measure, report.

    Inputs that cannot be used are set aside with a reason and never stop the run. Run the same command again after new
    files came, or after it was stopped: only what is new or changed is done.
    """
    from radlake.engine.api import run as start
    from radlake.engine.pipeline import Pipeline
    from radlake.engine.progress import shown

    with shown(quiet=quiet or as_json) as progress:
        summary = start(
            Pipeline.from_file(config) if config else None,
            folders,
            out,
            engine=make_engine(engine, (workers, memory, timeout), (master, executor_memory, archive)),
            key_file=key_file,
            private=private,
            patient_regex=patient_regex,
            strict=strict,
            progress=progress,
        )
    _print_summary(summary, fresh_report(open_lake(out, private)), out, quiet=quiet, as_json=as_json)


def fresh_report(lake: Lake) -> Place:
    """Path of the lake's report, written anew where a table has changed since, or it is missing."""
    page = lake.report / "index.html"
    # A folder's time says when a name came into it; an object store has none, so there the newest entry is looked for.
    logs = [
        log
        for folder in lake.folders().values()
        for log in ((folder / "_delta_log").glob("*.json") if isinstance(folder, Remote) else [folder / "_delta_log"])
    ]
    newest = max((log.stat().st_mtime_ns for log in logs if log.exists()), default=0)
    if not page.exists() or page.stat().st_mtime_ns < newest:
        from radlake.report import write

        write(lake)
    return page


def _print_summary(summary: Summary, page: Place, lake: Place, *, quiet: bool, as_json: bool) -> None:
    """How the run ended, in words or as JSON."""
    from radlake.engine import show

    if summary.unreadable_folders:
        typer.echo(f"radlake: {summary.unreadable_folders:,} folders may not be listed and were left out", err=True)
    if as_json:
        typer.echo(json.dumps({**asdict(summary), "seconds": round(summary.seconds, 3), "report": str(page)}))
    elif not quiet:
        for line in show.ending(summary, str(lake)):
            typer.echo(line)
        typer.echo(f"report: {page}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="For the demo's lake and key.")] = Path("demo-out"),
    workers: Workers = CORES,
    quiet: Quiet = False,
) -> None:
    """The main job on real data that packages ship: a messy archive, and a labelled cohort with a first model."""
    from radlake.deid.keys import fingerprint, load_key
    from radlake.engine.demo import demo as show
    from radlake.engine.local import Local
    from radlake.engine.options import Options
    from radlake.engine.progress import shown
    from radlake.lake.store import Lake

    key = load_key(out / "key", create=True)
    lake = Lake.create(out / "lake", key_fingerprint=fingerprint(key))
    with shown(quiet=quiet) as progress:
        summary = show(lake, key, Options(engine=Local(workers), progress=progress))
    _print_summary(summary, fresh_report(lake), lake.root, quiet=quiet, as_json=False)
