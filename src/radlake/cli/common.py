"""What the commands share: the application, kinds of options, how tables are printed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from radlake.core.place import Place, place

if TYPE_CHECKING:
    import pyarrow as pa

    from radlake.engine.options import Engine
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


OWN_WORK = "_own"


class WithOwnWork(TyperGroup):
    """A group with work of its own: what does not begin with one of its commands goes to its hidden `OWN_WORK`.

    A folder that is called like a command is written with a path: ./verify.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the hidden command before arguments that are its own."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [OWN_WORK, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As usual, but messages do not show the hidden name."""
        name, command, rest = super().resolve_command(ctx, args)
        return "" if name == OWN_WORK else name, command, rest

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Help of the group's own work, then its commands."""
        own = self.commands[OWN_WORK]
        own.format_help(own.make_context(ctx.info_name, [], parent=ctx.parent, resilient_parsing=True), formatter)
        self.format_commands(ctx, formatter)


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
deidentify = typer.Typer(
    cls=WithOwnWork, help="Clean files of what identifies people.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(deidentify, name="deidentify")


class Format(StrEnum):
    """How a table is printed."""

    table = "table"
    csv = "csv"
    json = "json"


class EngineName(StrEnum):
    """What does the work."""

    local = "local"
    spark = "spark"


class UnitName(StrEnum):
    """What a case is."""

    auto = "auto"
    mask = "mask"
    image = "image"


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
    list[str],
    typer.Argument(metavar="FOLDER", help="Folders or files to take in: paths, s3:// or hdfs://.", show_default=False),
]
# A place is a union, which Typer has no word for: the parser makes it.
LakePath = Annotated[
    Any,
    typer.Argument(
        parser=place, metavar="LAKE", help="Folder of the lake: a path, s3:// or hdfs://.", show_default=False
    ),
]
OutLake = Annotated[
    Any,
    typer.Option(
        "--out",
        parser=place,
        metavar="LAKE",
        help="Folder of the lake: a path, s3:// or hdfs://; made where there is none.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The key for pseudonyms, outside the lake; by default in your configuration."),
]
Private = Annotated[
    Any, typer.Option(parser=place, metavar="FOLDER", help="The lake's private part, if not inside the lake.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and no progress.")]
AsFormat = Annotated[Format, typer.Option("--format", help="How to print the table.")]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="Processes that work at once.")]


Master = Annotated[
    str, typer.Option(metavar="URL", help="Where Spark runs, with --engine spark: local[2,4] or spark://HOST:7077.")
]
ExecutorMemory = Annotated[
    str, typer.Option(metavar="SIZE", help="For the Java side of each Spark executor, such as 4g.", show_default=False)
]
Archive = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="A packed environment (venv-pack) for Spark's workers, if they have none like this one.",
        show_default=False,
    ),
]


def make_engine(name: EngineName, local: tuple[int, int, float], cluster: tuple[str, str, str]) -> Engine:
    """The engine by its name; Spark is imported for no other.

    Parameters
    ----------
    name : EngineName
    local : (workers, memory in bytes, timeout in seconds)
    cluster : (master, executor memory, archive)
    """
    workers, memory, timeout = local
    if name is EngineName.spark:
        from radlake.engine.spark import Spark

        master, executor_memory, archive = cluster
        return Spark(master, memory, timeout, executor_memory, archive)
    from radlake.engine.local import Local

    return Local(workers, memory, timeout)


def examples(*lines: str) -> str:
    """Lines for the end of a command's help; the mark keeps Click from joining them."""
    return "\b\nExamples:\n" + "\n".join(f"  radlake {line}" for line in lines)


def open_lake(root: Place, private: Place | None) -> Lake:
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
