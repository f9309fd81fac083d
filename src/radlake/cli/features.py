"""The command `features`: numbers for a region of one image, or for the masks that a lake holds."""

from __future__ import annotations

import shlex
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.common import CORES, KeyFile, Private, Quiet, Workers, app, examples, open_lake, parse_memory

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES = examples(
    "features ct.nii.gz tumour.nii.gz -o features.csv",
    "features ct/ rtstruct.dcm --roi 'gtv*' --preset ibsi-c -o features.parquet",
    "features LAKE --masks rtstruct --roi tumor --aliases names.csv -o cohort.parquet",
)


class MaskSource(StrEnum):
    """Where the masks of a lake come from."""

    auto = "auto"
    seg = "seg"
    rtstruct = "rtstruct"
    label = "label"


@app.command(epilog=EXAMPLES)
def features(
    source: Annotated[
        Path,
        typer.Argument(metavar="IMAGE|LAKE", help="DICOM folder, NIfTI, NRRD ..., or a lake.", show_default=False),
    ],
    mask: Annotated[
        Path | None,
        typer.Argument(metavar="MASK", help="SEG, RTSTRUCT or label map of the image.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Table to write: .csv or .parquet.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="default, ibsi-phantom, ibsi-a to ibsi-e, pyradiomics.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings as YAML; PyRadiomics' own file too.")
    ] = None,
    masks: Annotated[MaskSource, typer.Option(help="Of a lake: which masks.")] = MaskSource.auto,
    roi: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only regions of this name; * and ? stand for letters; may be repeated."),
    ] = None,
    aliases: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV with columns pattern, name: one name for many spellings.")
    ] = None,
    workers: Workers = CORES,
    memory: Annotated[
        Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For the images under way together.")
    ] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    quiet: Quiet = False,
) -> None:
    """Measure regions: shape, intensity, texture, each number with its IBSI code, unit and settings.

    With MASK: the regions of one image. With a lake alone: the masks it holds; the numbers stay in its table features.
    """
    from radlake.engine.measure import measure, settings
    from radlake.engine.rois import read_aliases
    from radlake.engine.tabled import check_suffix, write_table

    if out is not None:
        check_suffix(out)
    parameters = settings(preset, config)
    names = read_aliases(aliases) if aliases else {}
    if mask is not None:
        from radlake.engine.inputs import require

        require([source, mask])
        if out is None:
            raise typer.BadParameter("radlake features IMAGE MASK needs -o FILE.csv or FILE.parquet")
        table = measure(source, mask, parameters, rois=roi or (), aliases=names)
    else:
        from radlake.deid.keys import load_key
        from radlake.engine.local import Local
        from radlake.engine.options import Options
        from radlake.engine.progress import shown
        from radlake.engine.remeasure import remeasure

        lake = open_lake(source, private)
        key = load_key(key_file, create=False)
        with shown(quiet=quiet) as progress:
            options = Options(engine=Local(workers, memory), progress=progress)
            table = remeasure(lake, key, parameters, source=masks.value, rois=roi or (), aliases=names, options=options)
    if out is not None:
        write_table(table, out)
    if not quiet:
        _tell(table, out, source)


def _tell(table: pa.Table, out: Path | None, source: Path) -> None:
    """How much was measured, what has no value and why, and where it is."""
    reasons = Counter(r for r in table["reason"].to_pylist() if r is not None)
    number = table.num_rows - sum(reasons.values())
    settings = ", ".join(sorted(set(table["settings_id"].to_pylist())))
    typer.echo(f"{number:,} values, settings {settings}" if settings else "nothing was measured")
    for reason, count in reasons.most_common():
        typer.echo(f"{count:,} without a value: {reason}")
    if out is not None:
        typer.echo(f"written to {out}")
    else:
        typer.echo(f'see them: radlake sql {shlex.quote(str(source))} "from features"')
