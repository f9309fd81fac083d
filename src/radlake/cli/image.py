"""Commands on single images: filter, edges, enhance, morphology, mask, segment, resample, register, agreement ..."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.common import CORES, AsJson, app, examples, parse_memory

if TYPE_CHECKING:
    from radlake.core.image import Image

_FREE = {"ignore_unknown_options": True, "allow_extra_args": True}
_FAMILIES = {
    "filter": ("Filter one image.", "filter median scan.nii.gz out.nii.gz --radius-mm 2 --compare side.png"),
    "edges": ("Find edges in one image.", "edges canny series_folder edges.nii.gz --low 20 --high 60"),
    "enhance": ("Change the contrast of one image.", "enhance window ct.dcm lung.png --name lung"),
    "morphology": ("Morphology of one image or mask.", "morphology opening scan.nrrd out.nrrd --radius-mm 3"),
    "mask": ("Change a mask, or labels each by itself.", "mask dilate liver.nii.gz wider.nii.gz --radius-mm 5"),
    "segment": ("Segment one image.", "segment otsu series_folder mask.dcm --compare side.png"),
    "resample": ("Put one image on another grid.", "resample to_spacing scan.nii.gz out.nii.gz --spacing-mm 1"),
}
_SLAB = 512 << 20  # bytes
_SHARED = ("filter", "morphology", "mask", "resample")  # results on the scale of their input: one window shows both
_HELP = """{what}

    IN is a DICOM file, a folder with one series, NIfTI, NRRD, MetaImage, PNG, TIFF ...; OUT is written by its ending:
    .nii.gz, .nii, .nrrd, .mha, .png, and .dcm for masks made from DICOM: a DICOM Segmentation that refers to the slices
    of IN. It repeats patient and study of IN, so it is as identifying as IN is.

    Volumes (z, y, x) of .npy and .zarr, and with --memory also NIfTI, may be larger than memory: they go slab by slab,
    with the result of the whole, where NAME looks at a neighbourhood only, to any of these. .npy and .zarr know no
    millimetres: --spacing "[5, 0.7, 0.7]".

    NAME "list" shows all names with their parameters; lengths are millimetres. A NAME without IN shows its own. Where a
    parameter is another mask or image, give its file. --parameters reads them from a YAML or JSON file.
"""
Name = Annotated[str, typer.Argument(metavar="NAME", help='What to do, or "list".', show_default=False)]
Source = Annotated[Path | None, typer.Argument(metavar="IN", help="File or folder to read.", show_default=False)]
Dest = Annotated[Path | None, typer.Argument(metavar="OUT", help="File to write.", show_default=False)]
Compare = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="Original and result side by side, with a scale bar.")
]
Saved = Annotated[Path | None, typer.Option("--parameters", metavar="FILE", help="Parameters from YAML or JSON.")]
Threads = Annotated[
    int, typer.Option(min=1, metavar="N", help="Threads of the kernels; results do not depend on them.")
]
Memory = Annotated[
    Any,
    typer.Option(
        parser=parse_memory, metavar="SIZE", help="Go by slabs that take so much with the work on them.",
        show_default="512MiB for .npy and .zarr",
    ),
]  # fmt: skip
Series = Annotated[int | None, typer.Option(metavar="N", help="Which image of a folder that holds several.")]


def _family(family: str) -> None:
    """Make the command of a family of steps."""
    what, example = _FAMILIES[family]

    def command(
        context: typer.Context,
        name: Name,
        source: Source = None,
        dest: Dest = None,
        compare: Compare = None,
        parameters: Saved = None,
        series: Series = None,
        threads: Threads = CORES,
        memory: Memory = None,
    ) -> None:
        from radlake.engine import one
        from radlake.imaging.kernels.threads import threads as allowed

        if name == "list":
            typer.echo(one.usage(family))
        elif source is None:
            typer.echo(one.usage(family, name))
        elif dest is None:
            raise typer.BadParameter(f"radlake {family} {name} needs IN and OUT")
        else:
            given = (one.saved(parameters) if parameters else {}) | one.parse(context.args)
            with allowed(threads):
                if memory or {source.suffix, dest.suffix} <= {".npy", ".zarr"}:
                    _by_slabs(f"{family}.{name}", source, dest, given, memory or _SLAB, compare)
                else:
                    _one_step(f"{family}.{name}", source, dest, given, compare, series)

    command.__doc__ = _HELP.format(what=what)
    app.command(family, context_settings=_FREE, epilog=examples(example, f"{family} list"))(command)


for _name in _FAMILIES:
    _family(_name)


@app.command(epilog=examples("register followup.nii.gz baseline.nii.gz moved.nii.gz --compare side.png"))
def register(
    moving: Annotated[Path, typer.Argument(metavar="MOVING", help="Image to move.", show_default=False)],
    fixed: Annotated[Path, typer.Argument(metavar="FIXED", help="Image to lay it on.", show_default=False)],
    dest: Annotated[Path, typer.Argument(metavar="OUT", help="File to write.", show_default=False)],
    measure: Annotated[str, typer.Option(help="mutual_information (any two modalities) or squares.")] = (
        "mutual_information"
    ),
    start: Annotated[str, typer.Option(help="centres on each other, or places as in the files.")] = "centres",
    interpolation: Annotated[str, typer.Option(help="nearest, linear or cubic.")] = "linear",
    compare: Compare = None,
) -> None:
    """Turn and shift one image rigidly onto another, and sample it on the other's grid."""
    from radlake.engine import one
    from radlake.engine.inputs import require
    from radlake.formats.write import check_target, write_image

    check_target(dest)
    if compare is not None:
        check_target(compare, (".png",))
    require([moving, fixed])
    options = {"reference": str(fixed), "measure": measure, "start": start, "interpolation": interpolation}
    result = one.apply("resample", "register", one.read(moving), options)
    write_image(result, dest)
    if compare is not None:
        _compare(one.read(fixed), result, compare)


@app.command(epilog=examples("agreement mine.nii.gz expert.nii.gz", "agreement mine.nii.gz expert.nii.gz --json"))
def agreement(
    mask: Annotated[Path, typer.Argument(metavar="MASK", help="Mask to judge.", show_default=False)],
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="Mask to judge it by.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Dice, Jaccard, Hausdorff distances, mean surface distance and volume difference, in mm; labels one by one."""
    from radlake.engine import one
    from radlake.engine.inputs import require

    require([mask, reference])
    found = {label: asdict(row) for label, row in one.agreement(one.read(mask), one.read(reference)).items()}
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for label, row in found.items():
        typer.echo(f"{label}")
        for name, value in row.items():
            typer.echo(f"  {name:26}{'-' if value is None else f'{value:.4g}'}")


@app.command(epilog=examples("consensus one.nii.gz two.nii.gz three.nii.gz joint.nii.gz --method staple"))
def consensus(
    masks: Annotated[
        list[Path], typer.Argument(metavar="MASK... OUT", help="Masks on one grid, then the file to write.")
    ],
    method: Annotated[str, typer.Option(help="majority or staple.")] = "majority",
) -> None:
    """Make one mask of several of the same object, by majority or by STAPLE."""
    from radlake.engine import one
    from radlake.engine.inputs import require
    from radlake.formats.write import check_target, write_image

    *sources, dest = masks
    if not sources:
        raise typer.BadParameter("radlake consensus needs masks and OUT")
    check_target(dest)
    require(sources)
    write_image(one.consensus([one.read(source) for source in sources], method), dest)


@app.command(
    epilog=examples("landmarks t1/*.nii.gz --out nyul.json", "enhance nyul a.nii.gz b.nii.gz --parameters nyul.json")
)
def landmarks(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Images of one kind.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="File to write.")] = Path("nyul.json"),
) -> None:
    """Learn Nyul's standard scale from the foregrounds of a cohort; `radlake enhance nyul` applies it."""
    from radlake.engine import one
    from radlake.engine.inputs import require
    from radlake.formats.write import write_bytes

    require(images)
    write_bytes(json.dumps(one.landmarks(images)).encode(), out)


def _one_step(
    step: str, source: Path, dest: Path, parameters: dict[str, Any], compare: Path | None, series: int | None
) -> None:
    """One image through one step, to a file and to a picture."""
    from radlake.engine import one
    from radlake.engine.inputs import require
    from radlake.formats.write import ENDINGS, check_target, ending_of, write_image

    family, name = step.split(".", 1)
    one.step_of(family, name)
    check_target(dest, (*ENDINGS, ".dcm"))
    if compare is not None:
        check_target(compare, (".png",))
    require([source])
    image = one.read(source, series=series)
    result = one.apply(family, name, image, parameters)
    if ending_of(dest) == ".dcm":
        _write_seg(result, image, source, dest, step, series)
    else:
        write_image(result, dest)
    if compare is not None:
        _compare(image, result, compare, shared=family in _SHARED)


def _by_slabs(
    step: str, source: Path, dest: Path, parameters: dict[str, Any], memory: int, compare: Path | None
) -> None:
    """A volume that may be larger than memory through one step; says in how many slabs."""
    from radlake.engine import one
    from radlake.engine.inputs import require

    if compare is not None:
        raise typer.BadParameter("--compare is for images that are read whole, not slab by slab")
    require([source])
    family, name = step.split(".", 1)
    slabs = one.apply_by_slabs(family, name, source, dest, parameters, memory=memory)
    typer.echo(f"{dest}: done in {slabs} slab{'s' * (slabs > 1)}")


def _write_seg(mask: Image, image: Image, source: Path, dest: Path, step: str, series: int | None) -> None:
    """A mask as a DICOM Segmentation."""
    from radlake import __version__
    from radlake.formats.dicom.seg_write import seg_bytes
    from radlake.formats.read import members_of
    from radlake.formats.write import write_bytes

    members = members_of(source, series=series)
    write_bytes(seg_bytes(mask, image, members, step=step, version=__version__), dest)


def _compare(original: Image, result: Image, path: Path, *, shared: bool = True) -> None:
    """A picture of before and after."""
    from radlake.formats.write import write_bytes
    from radlake.imaging.compare import side_by_side
    from radlake.imaging.preview import png_bytes

    write_bytes(png_bytes(side_by_side(original, result, shared=shared)), path)
