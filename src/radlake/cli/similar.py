"""The command `similar`: series of a lake that are most like one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from radlake.cli.common import AsFormat, Format, LakePath, Private, Quiet, app, examples, open_lake, print_table

EXAMPLES = examples(
    "similar LAKE se-1f2e",
    "similar LAKE se-1f2e --features shape,intensity,glcm --roi 'gtv*' --most 5",
)


@app.command(epilog=EXAMPLES)
def similar(
    lake: LakePath,
    series: Annotated[str, typer.Argument(metavar="SERIES", help="A series_id, or how it begins.", show_default=False)],
    features: Annotated[
        str, typer.Option(metavar="FAMILIES", help="What to compare by, with commas between.")
    ] = "shape,intensity",
    roi: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only regions of this name; * and ? stand for letters; may be repeated."),
    ] = None,
    settings: Annotated[
        str | None, typer.Option(metavar="ID", help="settings_id of the features, if the series has several.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="How many series to show.")] = 10,
    private: Private = None,
    form: AsFormat = Format.table,
    quiet: Quiet = False,
) -> None:
    """Find the series whose regions are most like those of one, by its features: a table, and a page with pictures.

    Features are scaled by median and interquartile range over the lake. Features that one of two regions lacks are left
    out and counted; with less than half of them there is no distance. A picture is shown only where its pixels cannot
    carry readable text.
    """
    from radlake.engine.similar import only
    from radlake.engine.similar import similar as find
    from radlake.report.similar import write_similar

    opened = open_lake(lake, private)
    families = tuple(name.strip() for name in features.split(",") if name.strip())
    chosen = only(opened, series)
    found = find(opened, chosen, families=families, rois=roi or (), settings_id=settings, most=most)
    page = write_similar(opened, chosen, found, families)
    print_table(found, form)
    if not quiet and form is Format.table:
        typer.echo(f"pictures: {page}")
