"""The command `explain`: what a model looks at, and whether to believe it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from radlake.cli.common import CORES, KeyFile, Private, Quiet, Workers, app, examples, parse_memory
from radlake.cli.learn import ModelPath, Regex, setting_of
from radlake.core.place import place

if TYPE_CHECKING:
    from radlake.engine.learning import Setting
    from radlake.learn.bundle import Bundle
    from radlake.learn.explain.pictures import Map

EXAMPLES = examples("explain model LAKE --out why", "explain model scans/ --masks outlines/ --out where")


@app.command(epilog=EXAMPLES)
def explain(
    model: ModelPath,
    source: Annotated[
        Any,
        typer.Argument(
            parser=place, metavar="INPUT", help="A lake, a folder, an archive, or one image.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the page.", show_default=False)],
    masks: Annotated[
        Path | None,
        typer.Option(metavar="MASKS", help="Outlines to compare maps with: a folder of files named as the images."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, metavar="N", help="Images to show maps of.")] = 6,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of what is drawn at random.")] = 0,
    workers: Workers = CORES,
    memory: Annotated[Any, typer.Option(parser=parse_memory, metavar="SIZE", help="For images under way.")] = "4GiB",
    key_file: KeyFile = None,
    private: Private = None,
    patient_regex: Regex = None,
    quiet: Quiet = False,
) -> None:
    """Show what a model looks at, and whether to believe it.

    Models of features: weights, importance, how answers move, single cases. Models of images: maps in the pixels of a
    few images (Grad-CAM, integrated gradients, attention, occlusion). All come with checks that call them empty where
    they are.
    """
    from radlake.engine.learning import explain as start
    from radlake.engine.progress import shown
    from radlake.learn.bundle import load
    from radlake.report.explanation import write

    bundle = load(model)
    with shown(quiet=quiet) as progress:
        setting = setting_of(workers, memory, key_file, private, patient_regex, progress)
        if not bundle.inputs:
            _maps(bundle, source, out, setting, masks=masks, cases=cases, seed=seed, quiet=quiet)
            return
        found = start(model, source, seed=seed, setting=setting)
    page = write(found, out)
    if not quiet:
        for check in found["checks"]:
            typer.echo(f"{check['name']}: {check['words']}")
        for row in found["importance"][:5]:
            typer.echo(f"{row['feature']}: {row['drop']:.4f} of the {found['score']}")
        typer.echo(f"page: {page}")


def _maps(
    bundle: Bundle, source: Any, out: Path, setting: Setting, *, masks: Path | None, cases: int, seed: int, quiet: bool
) -> None:
    """Maps of a model of images, with what their checks say."""
    from radlake.engine.learning import explain_pictures
    from radlake.report.maps import METHODS, write

    setting.progress.begin("asking the model where it looks", None)
    found = explain_pictures(bundle, source, masks=masks, most=cases, seed=seed, setting=setting)
    setting.progress.end()
    page = write(found, out, model=bundle.name, target=bundle.target)
    if quiet:
        return
    for picture in found:
        for shown_map in picture.maps:
            typer.echo(f"{picture.unit_id}, {METHODS[shown_map.method][0]}: {_verdict(shown_map)}")
    typer.echo(f"page: {page}")


def _verdict(told: Map) -> str:
    """What the checks of a map say, in one line."""
    check, laid = told.checked, told.overlap
    alike = "not checked" if check.random_network is None else f"{check.random_network:.2f}"
    inside = "" if laid is None else f"; {laid.inside:.0%} inside the outline ({laid.area:.0%} of the area)"
    word = "shows something" if check.shows else "SHOWS NOTHING"
    return (
        f"{word}; like an untrained model's {alike}; answer while removed {check.deletion:.2f}, at random"
        f" {check.random_deletion:.2f}{inside}"
    )
