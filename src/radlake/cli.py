"""The command line: parse, call, print. Exit codes: 0 finished, 1 could not finish, 2 wrong usage."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pyarrow as pa

    from radlake.engine.run import Summary
    from radlake.lake.store import Lake

app = typer.Typer(
    name="radlake",
    help="From a folder of medical scans to a de-identified, quality-checked, searchable cohort and its models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
quarantine = typer.Typer(help="Inputs that were set aside, and why.", no_args_is_help=True)
app.add_typer(quarantine, name="quarantine")


class Format(StrEnum):
    """How a table is printed."""

    table = "table"
    csv = "csv"
    json = "json"


class EngineName(StrEnum):
    """What does the work."""

    local = "local"
    spark = "spark"


class Key(StrEnum):
    """Columns that `join` can match on."""

    patient_id = "patient_id"
    accession = "accession"
    study_uid = "study_uid"
    series_uid = "series_uid"
    path = "path"


CORES = os.cpu_count() or 1
_UNITS = {"": 1, "K": 10, "M": 20, "G": 30, "T": 40}


def parse_memory(text: str) -> int:
    """Bytes from a size such as "4GiB", "512M" or "2g".

    Examples
    --------
    >>> parse_memory("2GiB") == 2 << 30
    True
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", text.upper())
    if not match:
        raise typer.BadParameter(f"{text!r} is no size; write for example 4GiB")
    return int(float(match[1]) * (1 << _UNITS[match[2]])) if match[2] else int(float(match[1]))


Folders = Annotated[list[Path], typer.Argument(help="Folders or files to take in.", show_default=False)]
LakePath = Annotated[Path, typer.Argument(metavar="LAKE", help="Folder of the lake.", show_default=False)]
KeyFile = Annotated[Path | None, typer.Option(help="File with the key for pseudonyms; outside the lake.")]
Private = Annotated[Path | None, typer.Option(help="Folder of the private part, if not inside the lake.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]
AsFormat = Annotated[Format, typer.Option("--format", help="How to print the table.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that work at once.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """From a folder of medical scans to a searchable cohort and its models."""
    if version:
        import radlake

        typer.echo(f"radlake {radlake.__version__}")
        raise typer.Exit


@app.command()
def plan(
    folders: Folders,
    workers: Workers = CORES,
    out: Annotated[Path, typer.Option(help="Where the lake would be: is there room?")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Look before the run: what is there, what will fail, time, memory and disk. Writes nothing."""
    from radlake.engine import plan as planning

    found = planning.plan(folders)
    if as_json:
        typer.echo(json.dumps({**vars(found), "hints": found.hints(), "seconds": found.seconds(workers)}))
        return
    mib = 1 << 20
    typer.echo(f"{found.files:,} files, {found.bytes / mib:,.1f} MiB; headers of {found.looked_at:,} read")
    for title, counts in (("formats", found.formats), ("modalities", found.modalities)):
        typer.echo(f"{title + ':':<20}" + ", ".join(f"{n} {c:,}" for n, c in counts.most_common()))
    typer.echo("will be set aside:  " + (", ".join(f"{c} {n:,}" for c, n in found.faults.most_common()) or "none seen"))
    for code, hint in found.hints().items():
        typer.echo(f"  {code}: {hint}")
    typer.echo(
        "nothing to keep:    " + (", ".join(f"{c} {n:,}" for c, n in found.ignored.most_common()) or "none seen")
    )
    typer.echo("identifying fields: " + (", ".join(found.identifying) or "none seen"))
    typer.echo(
        f"expected:           {found.seconds(workers):,.0f} s with {workers} workers, "
        f"{found.largest_bytes / mib:,.0f} MiB for the largest image, "
        f"{found.disk_bytes / mib:,.0f} MiB of disk ({planning.free_bytes(out) / mib:,.0f} MiB free)"
    )
    if found.unreadable_folders:
        typer.echo(f"{found.unreadable_folders} folders may not be listed and would be missed", err=True)


@app.command()
def run(
    folders: Folders,
    out: Annotated[Path, typer.Option(help="Folder of the lake; made where it does not exist.", show_default=False)],
    config: Annotated[Path | None, typer.Option(help="Study as YAML; without it the default study.")] = None,
    workers: Workers = CORES,
    memory: Annotated[str, typer.Option(help="For the images under way together.")] = "4GiB",
    timeout: Annotated[float, typer.Option(min=1, help="Longest time for one item, in seconds.")] = 600.0,
    engine: Annotated[EngineName, typer.Option(help="What does the work.")] = EngineName.local,
    master: Annotated[str, typer.Option(help="Spark master.")] = "local[2,4]",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Annotated[
        str | None, typer.Option(help="Pattern on the path whose first group names the patient (not for DICOM).")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unforeseen problem.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """The main job: take folders into a lake, check, de-identify, segment, measure, report."""
    from radlake.engine.api import run as start
    from radlake.engine.local import Local
    from radlake.engine.pipeline import Pipeline
    from radlake.engine.progress import choose

    chosen: Any = Local(workers, parse_memory(memory), timeout)
    if engine is EngineName.spark:
        from radlake.engine.spark import Spark

        chosen = Spark(master, parse_memory(memory), timeout)
    summary = start(
        Pipeline.from_file(config) if config else None,
        folders,
        out,
        engine=chosen,
        key_file=key_file,
        private=private,
        patient_regex=patient_regex,
        strict=strict,
        progress=choose(quiet=quiet or as_json),
    )
    page = write_report(_open(out, private), changed=any(summary.worked.values()))
    _print_summary(summary, page, quiet=quiet, as_json=as_json)


def write_report(lake: Lake, *, changed: bool) -> Path:
    """Path of the lake's report, written anew where something changed or it is missing."""
    page = lake.root / "report" / "index.html"
    if changed or not page.exists():
        from radlake.report import write

        write(lake)
    return page


def _print_summary(summary: Summary, page: Path, *, quiet: bool, as_json: bool) -> None:
    """How the run ended, in words or as JSON."""
    if as_json:
        typer.echo(json.dumps({"files": summary.files, "worked": summary.worked, "seconds": round(summary.seconds, 3)}))
    elif not quiet:
        total = sum(summary.files.values())
        aside = summary.files.get("quarantined", 0)
        typer.echo(
            f"{total:,} files: {summary.files.get('done', 0):,} done, {aside:,} set aside, "
            f"{summary.files.get('ignored', 0):,} with nothing to keep"
        )
        if not any(summary.worked.values()):
            typer.echo("nothing had changed")
        typer.echo(f"report: {page}")


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the demo's lake and key.")] = Path("demo-out"),
    workers: Workers = CORES,
    quiet: Quiet = False,
) -> None:
    """The main job on real data that packages ship: a messy archive, and a labelled cohort with a first model."""
    from radlake.deid.keys import fingerprint, load_key
    from radlake.engine.demo import demo as show
    from radlake.engine.local import Local
    from radlake.engine.progress import choose
    from radlake.engine.run import Options
    from radlake.lake.store import Lake

    key = load_key(out / "key", create=True)
    lake = Lake.create(out / "lake", key_fingerprint=fingerprint(key))
    summary = show(lake, key, Options(engine=Local(workers), progress=choose(quiet=quiet)))
    _print_summary(summary, write_report(lake, changed=True), quiet=quiet, as_json=False)


@app.command()
def sql(
    lake: LakePath,
    query: Annotated[str, typer.Argument(help='For example "select modality, count(*) from series group by 1".')],
    private: Private = None,
    form: AsFormat = Format.table,
) -> None:
    """Ask the lake in SQL (DuckDB); `private.sources` is there for its owner."""
    print_table(_open(lake, private).sql(query), form)


@app.command()
def report(lake: LakePath, private: Private = None) -> None:
    """Write the report anew and print its path."""
    typer.echo(write_report(_open(lake, private), changed=True))


@app.command()
def trace(lake: LakePath, identifier: Annotated[str, typer.Argument(metavar="ID")], private: Private = None) -> None:
    """Inputs, stages, versions and parameters behind a series, image, mask or prediction."""
    from radlake.lake.trace import trace as follow

    typer.echo(json.dumps(asdict(follow(_open(lake, private), identifier)), indent=2))


@app.command()
def release(lake: LakePath, dest: Path, private: Private = None) -> None:
    """Copy the shareable part of a lake: never private/, paths or keys."""
    from radlake.lake.release import release as copy

    copy(_open(lake, private), dest)
    typer.echo(f"released to {dest}")


@app.command()
def whois(lake: LakePath, pseudonym: str, key_file: KeyFile = None, private: Private = None) -> None:
    """For the owner of private/: who a patient, study, series or file pseudonym is."""
    from radlake.deid.keys import load_key
    from radlake.engine.whois import whois as look_up

    for line in look_up(_open(lake, private), pseudonym, load_key(key_file, create=False)):
        typer.echo(line)


@app.command()
def join(
    lake: LakePath,
    file: Annotated[str, typer.Argument(help="CSV, TSV, Parquet, Excel, SQLite file or database URL.")],
    on: Annotated[Key, typer.Option(help="What the key column holds.")],
    column: Annotated[str | None, typer.Option(help="Column of the key, if not named like --on.")] = None,
    roi: Annotated[str | None, typer.Option(help="Column that names the region a label belongs to.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict; may be given more than once.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Column to keep beside it, cleaned.")] = None,
    issuer: Annotated[list[str] | None, typer.Option(help="Issuer of the patient ids, where files name one.")] = None,
    query: Annotated[str | None, typer.Option(help="SQL query, for databases.")] = None,
    key_file: KeyFile = None,
    private: Private = None,
    as_json: AsJson = False,
) -> None:
    """Bring a table of labels or clinical values to the lake's pseudonyms."""
    from radlake.deid.join import Request
    from radlake.deid.keys import load_key
    from radlake.engine.join import join as bring

    key = load_key(key_file, create=False)
    request = Request(on.value, column, tuple(target or ()), tuple(keep or ()), roi, tuple(issuer or ()))
    counts = bring(_open(lake, private), file, key, request, query=query)
    typer.echo(json.dumps(counts) if as_json else ", ".join(f"{n:,} {name}" for name, n in counts.items()))


@quarantine.command("list")
def quarantine_list(lake: LakePath, private: Private = None, form: AsFormat = Format.table) -> None:
    """Files set aside, with code, reason and hint; paths where private/ may be read."""
    from radlake.lake.quarantine import listing

    opened = _open(lake, private)
    print_table(listing(opened, with_paths=opened.private.is_dir()), form)


@quarantine.command("retry")
def quarantine_retry(
    lake: LakePath,
    code: Annotated[str | None, typer.Option(help="Only this fault code.")] = None,
    private: Private = None,
) -> None:
    """Let the next run take up again what was set aside."""
    from radlake.lake.quarantine import retry

    typer.echo(f"{len(retry(_open(lake, private), code))} files will be tried again by the next radlake run")


def _open(root: Path, private: Path | None) -> Lake:
    """An existing lake."""
    from radlake.lake.store import Lake

    return Lake.open(root, private=private)


def print_table(table: pa.Table, form: Format) -> None:
    """A table as text, CSV or JSON on standard output."""
    if form is Format.json:
        typer.echo(json.dumps(table.to_pylist(), default=str))
    elif form is Format.csv:
        import csv

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(row.values() for row in table.to_pylist())
    else:
        typer.echo(_as_text(table))


def _as_text(table: pa.Table) -> str:
    """Columns of a table side by side."""
    rows = [["" if v is None else str(v) for v in row.values()] for row in table.to_pylist()]
    names = list(table.column_names)
    widths = [max([len(n), *(len(r[i]) for r in rows)]) for i, n in enumerate(names)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in [names, *rows]]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def main() -> None:
    """Entry point: errors become one line on standard error and an exit code."""
    from radlake.core.errors import RadlakeError, UsageError

    try:
        app()
    except RadlakeError as error:
        typer.echo(f"radlake: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        typer.echo("radlake: stopped; run the same command again to go on", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has gone, as in `radlake sql ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
