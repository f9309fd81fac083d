"""The commands `model track` and `model export`: a model for other software."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from radlake.cli.common import examples
from radlake.cli.learn import ModelPath
from radlake.cli.scale import model

EXAMPLES = examples(
    "model track model --to mlruns", "model track model --to https://mlflow.example --experiment nodules"
)
EXPORT_EXAMPLES = examples("model export model --out model.onnx")


@model.command("track", epilog=EXAMPLES)
def track(
    folder: ModelPath,
    to: Annotated[str, typer.Option(metavar="PLACE", help="A folder, or a tracking server.", show_default=False)],
    experiment: Annotated[str, typer.Option(metavar="NAME", help="Made where it does not exist.")] = "radlake",
) -> None:
    """Log a model in MLflow: parameters, scores, the table of the choice and the card; nothing about a person."""
    from radlake.learn.tracking import track as start

    typer.echo(f"run {start(folder, to, experiment=experiment)} in the experiment {experiment}")


@model.command("export", epilog=EXPORT_EXAMPLES)
def export(
    folder: ModelPath,
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write: .onnx.", show_default=False)],
) -> None:
    """Write a model of networks as ONNX, after its answers were compared with the model's own."""
    from radlake.core.errors import UsageError
    from radlake.learn.bundle import load
    from radlake.learn.onnx_export import export as start

    if out.suffix != ".onnx":
        raise UsageError(f"the file's name must end with .onnx; got {out.name!r}")
    gap = start(load(folder), out)
    typer.echo(f"written to {out}; answers differ from the model's own by {gap:.1g} at most")
