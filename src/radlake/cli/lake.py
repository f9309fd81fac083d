"""Commands on a lake that is there: sql, report, trace, release, whois, join, quarantine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from radlake.cli.common import (
    AsFormat,
    AsJson,
    EngineName,
    Format,
    Key,
    KeyFile,
    LakePath,
    Master,
    Private,
    app,
    examples,
    open_lake,
    print_table,
    quarantine,
)

SQL_EXAMPLES = examples(
    'sql LAKE "show tables"',
    'sql LAKE "select modality, count(*) from series group by 1"',
    "sql LAKE \"from features where name = 'Volume (mesh)'\" --format csv > volumes.csv",
)
JOIN_EXAMPLES = examples(
    "join LAKE outcome.csv --on patient_id --target relapse --keep age,stage",
    "join LAKE masks.xlsx --on path --roi region --target grade",
    'join LAKE clinic.sqlite --on accession --keep psa --query "select * from labs"',
)


@app.command(epilog=SQL_EXAMPLES)
def sql(
    lake: LakePath,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT.", show_default=False)],
    private: Private = None,
    form: AsFormat = Format.table,
    engine: Annotated[
        EngineName, typer.Option(help="Local: DuckDB; spark: for what one machine cannot hold.")
    ] = EngineName.local,
    master: Master = "local[2,4]",
) -> None:
    """Ask the lake in SQL (DuckDB's dialect); `private.sources` is there for its owner.

    Spark has its own dialect, and calls the owner's table `private_sources`.
    """
    opened = open_lake(lake, private)
    if engine is EngineName.spark:
        from radlake.engine.spark import Spark
        from radlake.engine.spark.query import sql as ask

        found = ask(Spark(master), opened, query)
    else:
        found = opened.sql(query)
    print_table(found, form)


@app.command()
def report(lake: LakePath, private: Private = None) -> None:
    """Write the report anew and print its path."""
    from radlake.report import write

    opened = open_lake(lake, private)
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

    typer.echo(json.dumps(asdict(follow(open_lake(lake, private), identifier)), indent=2))


@app.command()
def release(
    lake: LakePath,
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A new folder.", show_default=False)],
    private: Private = None,
    allow_rows: Annotated[
        bool, typer.Option("--allow-rows", help="Also models that hold rows of training cases.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The sources: their identifiers are looked for as well.")
    ] = None,
) -> None:
    """Copy the shareable part of a lake: never private/, paths or keys; refused if the verifier finds anything."""
    from radlake.engine.release import release as copy

    copy(open_lake(lake, private), dest, against=against, allow_rows=allow_rows)
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

    for line in look_up(open_lake(lake, private), pseudonym, load_key(key_file, create=False)):
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
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Own rules for columns: mask, bin, hash ...")
    ] = None,
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
    from radlake.deid.rules import rulebook
    from radlake.engine.join import join as bring

    key = load_key(key_file, create=False)
    own = rulebook(rules).tables if rules else {}
    request = Request(on.value, column, _names(target), _names(keep), roi, tuple(issuer or ()), own)
    counts = bring(open_lake(lake, private), file, key, request, query=query)
    typer.echo(json.dumps(counts) if as_json else ", ".join(f"{n:,} {name}" for name, n in counts.items()))


def _names(given: Sequence[str] | None) -> tuple[str, ...]:
    """Column names from options that may be repeated and may each hold several."""
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


@quarantine.command("list")
def quarantine_list(lake: LakePath, private: Private = None, form: AsFormat = Format.table) -> None:
    """Files set aside, with code, reason and hint; paths where private/ may be read."""
    from radlake.lake.quarantine import listing

    opened = open_lake(lake, private)
    print_table(listing(opened, with_paths=opened.has_private), form)


@quarantine.command("retry")
def quarantine_retry(
    lake: LakePath,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="Only this fault code.")] = None,
    private: Private = None,
) -> None:
    """Let the next run take up again what was set aside."""
    from radlake.lake.quarantine import retry

    typer.echo(f"{len(retry(open_lake(lake, private), code)):,} files will be tried again by the next radlake run")
