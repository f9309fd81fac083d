"""The command line: parse, call, print. Exit codes: 0 finished, 1 could not finish, 2 wrong usage.

Longer than other files because it is a table: every command with its options.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    import pyarrow as pa

    from radlake.engine.options import Engine
    from radlake.engine.run import Summary
    from radlake.lake.store import Lake


class Commands(TyperGroup):
    """Commands whose expected problems become one line on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Do the command."""
        from radlake.core.errors import RadlakeError, UsageError

        try:
            return super().invoke(ctx)
        except RadlakeError as error:
            typer.echo(f"radlake: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None
        except KeyboardInterrupt:
            typer.echo("radlake: stopped; run the same command again to go on", err=True)
            raise typer.Exit(1) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # the reader has gone, as in `radlake sql ... | head`: typer's task
                raise
            typer.echo(f"radlake: {error.strerror or type(error).__name__}: {error.filename or 'no file'}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    name="radlake",
    cls=Commands,
    help="From a folder of medical scans to a de-identified, quality-checked, searchable cohort and its models.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help and errors: they are piped, searched and read aloud
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
quarantine = typer.Typer(help="Inputs that were set aside, and why.", no_args_is_help=True, rich_markup_mode=None)
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
LEAST_MEMORY = 256 << 20
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}


def parse_memory(text: str | int) -> int:
    """Bytes from a size such as "4GiB", "512M" or "2g"; at least 256 MiB.

    Examples
    --------
    >>> parse_memory("2GiB") == 2 << 30
    True
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)I?B?\s*", str(text).upper())
    if not match:
        raise typer.BadParameter(f"{text!r} is no size; write for example 4GiB")
    size = int(float(match[1]) * (1 << _UNITS[match[2]]))
    if size < LEAST_MEMORY:
        raise typer.BadParameter(f"{text!r} is too little; the least is {LEAST_MEMORY >> 20} MiB")
    return size


Folders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER", help="Folders or files to take in.", show_default=False)
]
LakePath = Annotated[Path, typer.Argument(metavar="LAKE", help="Folder of the lake.", show_default=False)]
KeyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The key for pseudonyms, outside the lake; by default in your configuration."),
]
Private = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="The lake's private part, if not inside the lake.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and no progress.")]
AsFormat = Annotated[Format, typer.Option("--format", help="How to print the table.")]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="Processes that work at once.")]


def _examples(*lines: str) -> str:
    """Lines for the end of a command's help; the mark keeps Click from joining them."""
    return "\b\nExamples:\n" + "\n".join(f"  radlake {line}" for line in lines)


RUN_EXAMPLES = _examples(
    "run scans/ --out lake",
    "run ct/ mr/ --out lake --config study.yaml --workers 8 --memory 16GiB",
    "run png/ --out lake --patient-regex '/(P[0-9]+)/'",
)
SQL_EXAMPLES = _examples(
    'sql LAKE "show tables"',
    'sql LAKE "select modality, count(*) from series group by 1"',
    "sql LAKE \"from features where name = 'Volume (mesh)'\" --format csv > volumes.csv",
)
JOIN_EXAMPLES = _examples(
    "join LAKE outcome.csv --on patient_id --target relapse --keep age,stage",
    "join LAKE masks.xlsx --on path --roi region --target grade",
    'join LAKE clinic.sqlite --on accession --keep psa --query "select * from labs"',
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
    out: Annotated[Path, typer.Option(metavar="LAKE", help="Where the lake would be: is there room?")] = Path(),
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
    out: Annotated[
        Path, typer.Option(metavar="LAKE", help="Folder of the lake; made where there is none.", show_default=False)
    ],
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
    master: Annotated[str, typer.Option(metavar="URL", help="Where Spark runs, with --engine spark.")] = "local[2,4]",
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
            engine=_engine(engine, workers, memory, timeout, master),
            key_file=key_file,
            private=private,
            patient_regex=patient_regex,
            strict=strict,
            progress=progress,
        )
    _print_summary(summary, _fresh_report(_open(out, private)), out, quiet=quiet, as_json=as_json)


def _engine(name: EngineName, workers: int, memory: int, timeout: float, master: str) -> Engine:
    """The engine by its name; Spark is imported for no other."""
    if name is EngineName.spark:
        from radlake.engine.spark import Spark

        return Spark(master, memory, timeout)
    from radlake.engine.local import Local

    return Local(workers, memory, timeout)


def _fresh_report(lake: Lake) -> Path:
    """Path of the lake's report, written anew where a table has changed since, or it is missing."""
    page = lake.report / "index.html"
    logs = [folder / "_delta_log" for folder in lake.folders().values()]
    newest = max((log.stat().st_mtime_ns for log in logs if log.exists()), default=0)
    if not page.exists() or page.stat().st_mtime_ns < newest:
        from radlake.report import write

        write(lake)
    return page


def _print_summary(summary: Summary, page: Path, lake: Path, *, quiet: bool, as_json: bool) -> None:
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
    _print_summary(summary, _fresh_report(lake), lake.root, quiet=quiet, as_json=False)


@app.command(epilog=SQL_EXAMPLES)
def sql(
    lake: LakePath,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT.", show_default=False)],
    private: Private = None,
    form: AsFormat = Format.table,
) -> None:
    """Ask the lake in SQL (DuckDB's dialect); `private.sources` is there for its owner."""
    print_table(_open(lake, private).sql(query), form)


@app.command()
def report(lake: LakePath, private: Private = None) -> None:
    """Write the report anew and print its path."""
    from radlake.report import write

    opened = _open(lake, private)
    write(opened)
    typer.echo(opened.report / "index.html")


@app.command()
def trace(
    lake: LakePath,
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Of a file, series, image, mask or prediction.", show_default=False)
    ],
    private: Private = None,
) -> None:
    """Inputs, stages, versions and parameters behind a series, image, mask or prediction, as JSON."""
    from radlake.lake.trace import trace as follow

    typer.echo(json.dumps(asdict(follow(_open(lake, private), identifier)), indent=2))


@app.command()
def release(
    lake: LakePath,
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A new folder.", show_default=False)],
    private: Private = None,
) -> None:
    """Copy the shareable part of a lake: never private/, paths or keys."""
    from radlake.lake.release import release as copy

    copy(_open(lake, private), dest)
    typer.echo(f"released to {dest}")


@app.command()
def whois(
    lake: LakePath,
    pseudonym: Annotated[str, typer.Argument(metavar="PSEUDONYM", help="Such as pt-....", show_default=False)],
    key_file: KeyFile = None,
    private: Private = None,
) -> None:
    """For the owner of private/: who or what the pseudonym of a patient, study, series or file is."""
    from radlake.deid.keys import load_key
    from radlake.engine.whois import whois as look_up

    for line in look_up(_open(lake, private), pseudonym, load_key(key_file, create=False)):
        typer.echo(line)


@app.command(epilog=JOIN_EXAMPLES)
def join(
    lake: LakePath,
    file: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="CSV, TSV, Parquet, Excel or SQLite file, or database URL.", show_default=False
        ),
    ],
    on: Annotated[Key, typer.Option(help="What the key column holds.", show_default=False)],
    column: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of the key, if not named like --on.")
    ] = None,
    roi: Annotated[
        str | None, typer.Option(metavar="COL", help="Column that names the region which a label belongs to.")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(metavar="COLS", help="Columns to predict.")] = None,
    keep: Annotated[list[str] | None, typer.Option(metavar="COLS", help="Columns to keep beside, cleaned.")] = None,
    issuer: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Issuer of the patient ids, where files name one.")
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="One SELECT, for databases.")] = None,
    key_file: KeyFile = None,
    private: Private = None,
    as_json: AsJson = False,
) -> None:
    """Bring a table of labels or clinical values to the lake's pseudonyms.

    COLS are names with commas between them. A row whose key fits nothing, or more than one thing, is counted as a
    fault and never guessed. Joining the same table again replaces what it brought before.
    """
    from radlake.deid.join import Request
    from radlake.deid.keys import load_key
    from radlake.engine.join import join as bring

    key = load_key(key_file, create=False)
    request = Request(on.value, column, _names(target), _names(keep), roi, tuple(issuer or ()))
    counts = bring(_open(lake, private), file, key, request, query=query)
    typer.echo(json.dumps(counts) if as_json else ", ".join(f"{n:,} {name}" for name, n in counts.items()))


def _names(given: Sequence[str] | None) -> tuple[str, ...]:
    """Column names from options that may be repeated and may each hold several."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


@quarantine.command("list")
def quarantine_list(lake: LakePath, private: Private = None, form: AsFormat = Format.table) -> None:
    """Files set aside, with code, reason and hint; paths where private/ may be read."""
    from radlake.lake.quarantine import listing

    opened = _open(lake, private)
    print_table(listing(opened, with_paths=opened.has_private), form)


@quarantine.command("retry")
def quarantine_retry(
    lake: LakePath,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="Only this fault code.")] = None,
    private: Private = None,
) -> None:
    """Let the next run take up again what was set aside."""
    from radlake.lake.quarantine import retry

    typer.echo(f"{len(retry(_open(lake, private), code)):,} files will be tried again by the next radlake run")


_FREE = {"ignore_unknown_options": True, "allow_extra_args": True}
_COMPARE = typer.Option(metavar="FILE.png", help="Original and result side by side, with a scale bar.")


@app.command("filter", context_settings=_FREE)
def filter_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help='A filter, or "list" for all of them with their parameters.')],
    source: Annotated[Path | None, typer.Argument(metavar="IN", help="DICOM file or folder, NIfTI, PNG ...")] = None,
    dest: Annotated[Path | None, typer.Argument(metavar="OUT", help="File to write: .nii.gz or .png.")] = None,
    compare: Annotated[Path | None, _COMPARE] = None,
) -> None:
    """Filter one image, for example: radlake filter median scan.nii.gz out.nii.gz --radius-mm 2"""
    _one_step("filter", name, source, dest, compare, context.args)


@app.command("segment", context_settings=_FREE)
def segment(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help='A method, or "list" for all of them with their parameters.')],
    source: Annotated[Path | None, typer.Argument(metavar="IN", help="DICOM file or folder, NIfTI, PNG ...")] = None,
    dest: Annotated[Path | None, typer.Argument(metavar="OUT", help="File to write: .nii.gz or .png.")] = None,
    compare: Annotated[Path | None, _COMPARE] = None,
) -> None:
    """Segment one image, for example: radlake segment otsu study_folder mask.nii.gz --compare side.png"""
    _one_step("segment", name, source, dest, compare, context.args)


def _one_step(
    family: str, name: str, source: Path | None, dest: Path | None, compare: Path | None, options: list[str]
) -> None:
    """One image through one step, to a file and to a picture."""
    from radlake.engine import one

    if name == "list":
        typer.echo(one.usage(family))
        return
    if source is None or dest is None:
        raise typer.BadParameter(f"radlake {family} {name} needs IN and OUT")
    from radlake.engine.inputs import require
    from radlake.formats.read import read_image
    from radlake.formats.write import write_image

    parameters = one.parse(options)
    require([source])
    image = read_image(source)
    result = one.apply(family, name, image, parameters)
    write_image(result, dest)
    if compare is not None:
        from radlake.imaging.compare import side_by_side
        from radlake.imaging.preview import png_bytes

        compare.write_bytes(png_bytes(side_by_side(image, result)))


def _open(root: Path, private: Path | None) -> Lake:
    """An existing lake."""
    from radlake.lake.store import Lake

    return Lake.open(root, private=private)


def print_table(table: pa.Table, form: Format) -> None:
    """A table as text, CSV or JSON on standard output."""
    from radlake.engine import show

    if form is Format.json:
        typer.echo(show.as_json(table))
    elif form is Format.csv:
        typer.echo(show.as_csv(table), nl=False)
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        typer.echo(show.as_text(table, width=width))


def main() -> None:
    """Entry point. What nobody foresaw is told by kind and place: an exception's own text may quote a file."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the last line of defence
        from radlake.engine.pool import where

        typer.echo(f"radlake: an unforeseen problem; please report these lines\n{where(error)}", err=True)
        sys.exit(1)
