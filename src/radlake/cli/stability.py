"""The command `stability`: which features of a lake's masks stay the same when they are measured again."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from radlake.cli.common import CORES, KeyFile, LakePath, Private, Quiet, Workers, app, examples, open_lake, parse_memory
from radlake.cli.features import MaskSource

EXAMPLES = examples(
    "stability LAKE --masks seg --preset ibsi-c -o stability.csv",
    "stability LAKE --masks rtstruct --roi 'gtv*' --config features.yaml --retest patient",
)


class Scans(StrEnum):
    """Which series are scans of the same."""

    none = "none"
    patient = "patient"
    study = "study"


@app.command(epilog=EXAMPLES)
def stability(
    lake: LakePath,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Table to write: .csv or .parquet.")
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="As for radlake features.")] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Settings as YAML, or a parameter file of PyRadiomics, as for radlake features."
        ),
    ] = None,
    masks: Annotated[MaskSource, typer.Option(help="Which masks.")] = MaskSource.auto,
    roi: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only regions of this name; * and ? stand for letters; may be repeated."),
    ] = None,
    retest: Annotated[
        Scans, typer.Option(help="Also judge by scans of one patient, or study, as radlake features measured them.")
    ] = Scans.none,
    least: Annotated[
        float, typer.Option(min=0, max=1, metavar="ICC", help="That the interval of a reliable feature lies above.")
    ] = 0.75,
    redundancy: Annotated[
        float, typer.Option(min=0, max=1, metavar="RHO", help="Rank correlation from which two features say the same.")
    ] = 0.9,
    workers: Workers = CORES,
    memory: Annotated[
        Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For the images under way together.")
    ] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    quiet: Quiet = False,
) -> None:
    """Measure masks again after small changes, and say which features stay the same: ICC(2,1) and clusters.

    Each mask is grown, shrunk, moved and turned a little (1 mm, 5 degrees). A feature is reliable when the lower end of
    its ICC's 95 % interval reaches --least; of reliable features that say the same the first is kept. Measurements stay
    in the lake's table repeats, the judgement in its table stability. It describes this cohort: a model must choose its
    features on its training folds.
    """
    from radlake.deid.keys import load_key
    from radlake.engine.local import Local
    from radlake.engine.measure import settings
    from radlake.engine.options import Options
    from radlake.engine.progress import shown
    from radlake.engine.steadiness import Bounds, steadiness
    from radlake.engine.tabled import check_suffix, write_table

    if out is not None:
        check_suffix(out)
    parameters = settings(preset, config)
    opened = open_lake(lake, private)
    key = load_key(key_file, create=False)
    bounds = Bounds(least=least, redundancy=redundancy, retest=retest.value)
    with shown(quiet=quiet) as progress:
        options = Options(engine=Local(workers, memory), progress=progress)
        table = steadiness(opened, key, parameters, source=masks.value, rois=roi or (), bounds=bounds, options=options)
    if out is not None:
        write_table(table, out)
    if quiet:
        return
    _tell(table.to_pylist())
    typer.echo(
        f"written to {out}" if out is not None else f'see them: radlake sql {shlex.quote(str(lake))} "from stability"'
    )


def _tell(rows: list[dict[str, Any]]) -> None:
    """How many features there are, and how many are left, of each kind of repetition."""
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found = [row for row in rows if row["kind"] == kind]
        reliable, kept = (sum(row[name] for row in found) for name in ("reliable", "kept"))
        most = max(row["subjects"] for row in found)
        typer.echo(f"{kind}, {most:,} cases: {len(found):,} features, {reliable:,} reliable, {kept:,} kept")
