"""The command `groups`: cases that nobody labelled, as points and in clusters."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from radlake.cli.cohort import fresh_report
from radlake.cli.common import AsJson, LakePath, Private, Quiet, UnitName, app, examples, open_lake

EXAMPLES = examples("groups LAKE", "groups LAKE --unit mask --by umap --json")


class By(StrEnum):
    """How points are found."""

    pca = "pca"
    umap = "umap"


@app.command(epilog=EXAMPLES)
def groups(
    lake: LakePath,
    unit: Annotated[UnitName, typer.Option(help="What a case is: by default what features are about.")] = UnitName.auto,
    clusters: Annotated[int, typer.Option(min=2, max=20, metavar="N", help="The largest number to try.")] = 6,
    by: Annotated[By, typer.Option(help="Draw by principal components, or by neighbourhoods.")] = By.pca,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of starts and bootstrap.")] = 0,
    private: Private = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Look for groups of like cases, and for drift between scanners and splits; the report shows them.

    A grouping must come back when cases are drawn anew, and separate better than one cloud would.
    """
    from radlake.learn.groups import found as start

    opened = open_lake(lake, private)
    chosen = None if unit is UnitName.auto else unit.value
    found = start(opened, unit=chosen, clusters=clusters, by=by.value, seed=seed)
    page = fresh_report(opened)
    if as_json:
        typer.echo(json.dumps(found))
    elif not quiet:
        typer.echo(found["reason"])
        typer.echo(f"report: {page}")
