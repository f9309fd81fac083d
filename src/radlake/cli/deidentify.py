"""The command that cleans folders of files: `radlake deidentify FOLDER --out DEST`."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from radlake.cli.common import (
    CORES,
    OWN_WORK,
    Archive,
    AsJson,
    EngineName,
    ExecutorMemory,
    KeyFile,
    Master,
    Quiet,
    Workers,
    deidentify,
    examples,
    make_engine,
    parse_memory,
)

EXAMPLES = examples(
    "deidentify scans/ --out clean",
    "deidentify scans/ --out clean --profile research --option retain-device-identity",
    "deidentify LAKE --out clean --names keep --workers 8",
    "deidentify /data/scans --out /data/clean --engine spark --master spark://HOST:7077",
)


class NamesBy(StrEnum):
    """How cleaned files are called."""

    uid = "uid"
    keep = "keep"


class Pixels(StrEnum):
    """What happens to text that is burned into pictures."""

    redact = "redact"
    review = "review"
    off = "off"


@deidentify.command(OWN_WORK, epilog=EXAMPLES, hidden=True)
def run(
    source: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="What to clean: a folder, a file, or a lake.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="DEST", help="Folder of the cleaned files; new, or to go on with.", show_default=False),
    ],
    profile: Annotated[
        str, typer.Option(metavar="NAME|FILE.yaml", help="What is kept: strict, research, or own rules in a file.")
    ] = "strict",
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An option of PS3.15, such as retain-uids; may be repeated."),
    ] = None,
    pixels: Annotated[
        Pixels,
        typer.Option(help="Text in pictures: blank it, set its file aside with a picture for you, or do not look."),
    ] = Pixels.redact,
    names: Annotated[
        NamesBy, typer.Option(help="Call files by their new UIDs, or by those words of their paths that name nobody.")
    ] = NamesBy.uid,
    key_file: KeyFile = None,
    private: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the way back to the sources is kept; by default DEST-private."),
    ] = None,
    workers: Workers = CORES,
    memory: Annotated[
        Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For the files under way together.")
    ] = "4GiB",
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="Longest time for one file.")] = 600.0,
    engine: Annotated[EngineName, typer.Option(help="What does the work.")] = EngineName.local,
    master: Master = "local[2,4]",
    executor_memory: ExecutorMemory = "",
    archive: Archive = "",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first unforeseen problem.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Clean files of what identifies people, by DICOM PS3.15 Annex E.

    Every file ends as one row of DEST/_deidentification/files.parquet: cleaned, or set aside with a reason. Run the
    same command again after new files came, or after it was stopped: only what is new or changed is done. With --engine
    spark, every worker reaches FOLDER, DEST and the private part under the same paths.
    """
    from radlake.deid.files import Settings
    from radlake.deid.keys import load_key
    from radlake.deid.rules import rulebook
    from radlake.engine.deidentify import Options
    from radlake.engine.deidentify import deidentify as start
    from radlake.engine.progress import shown

    key = load_key(key_file, create=True)
    settings = Settings(key, rulebook(profile), tuple(option or ()), names.value, pixels.value)
    chosen = make_engine(engine, (workers, memory, timeout), (master, executor_memory, archive))
    with shown(quiet=quiet or as_json) as progress:
        summary = start(source, out, settings, Options(chosen, private, strict, progress, key_file))
    if summary.unreadable_folders:
        typer.echo(f"radlake: {summary.unreadable_folders:,} folders may not be listed and were left out", err=True)
    if as_json:
        typer.echo(json.dumps({**asdict(summary), "seconds": round(summary.seconds, 3)}))
    elif not quiet:
        counts = ", ".join(f"{n:,} {status}" for status, n in summary.files.items()) or "no files"
        typer.echo(f"{counts}; {summary.worked:,} taken up now, in {summary.seconds:.1f} s")
        typer.echo(f"account: {out / '_deidentification'}")
