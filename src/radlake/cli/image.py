"""Commands on one image: filter, segment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radlake.cli.common import app

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
