"""Features of the masks that a lake already holds, by other settings than those of its study.

An image that is measured again is an item of its own ("measure"): its id is that of the image with the chain behind it,
so that the study's own features stay, other settings are kept beside them, and a killed command goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from radlake.core.errors import RadlakeError
from radlake.core.fault import ItemError
from radlake.core.image import BoolArray, Image, Region
from radlake.core.stage import Item, Rows, Stage
from radlake.deid.keys import fingerprint
from radlake.engine import todo
from radlake.engine.chain import Chain, Step
from radlake.engine.driver import Driver
from radlake.engine.measure import step_of
from radlake.engine.options import Options
from radlake.engine.parameters import checked
from radlake.engine.pipeline import Pipeline
from radlake.engine.registry import stage
from radlake.engine.rois import Aliases, called, fits, listed
from radlake.imaging.channels import scalar
from radlake.lake.store import Lake

Source = Literal["auto", "seg", "rtstruct", "label"]


class NoMasks(RadlakeError):  # noqa: N818 - names the problem
    """The lake holds no such mask; the message says which there are."""


def stored(item: Item, *, source: Source = "auto", rois: tuple[str, ...] = ()) -> Rows:
    """Put masks that the lake holds on the grid of their image, into `item.regions` by their source.

    Parameters
    ----------
    item : Item
        An image with rows of `masks`.
    source : {"auto", "seg", "rtstruct", "label"}
        Where the masks come from.
    rois : tuple of str
        Patterns of their names; none: all.
    """
    from radlake.formats.nifti import read_mask

    image = scalar(item.images["original"])
    for row in item.masks:
        if row["source"] != source or not fits(row["roi"], rois, {}):
            continue
        try:
            mask = read_mask(item.context.objects.get(row["object"]))
        except FileNotFoundError:
            raise ItemError("reference_missing") from None
        whole = Image(on_grid(mask, image), image.geometry, "label", "label")
        item.regions.setdefault(source, []).append(Region(whole, row["roi"], source, row["mask_id"]))
    return []


def on_grid(mask: Image, image: Image) -> BoolArray:
    """A mask that was cropped from an image's grid, at its place on it.

    Parameters
    ----------
    mask : Image
        As `radlake.formats.nifti.read_mask` gives it: three axes, the first of length 1 where the image is a plane.
    image : Image
        Without time or colour.
    """
    origin = np.append(mask.geometry.origin, 1.0)
    inverse = np.linalg.pinv(image.geometry.affine)
    start = [int(n) for n in np.rint(inverse @ origin)[:-1]]
    sizes: tuple[int, ...] = mask.array.shape[-len(start) :]
    whole = np.zeros(image.array.shape, np.bool_)
    whole[tuple(slice(a, a + n) for a, n in zip(start, sizes, strict=True))] = mask.array.reshape(sizes)
    return whole


def remeasure(
    lake: Lake,
    key: bytes,
    parameters: Mapping[str, Any],
    *,
    source: Source,
    rois: Sequence[str] = (),
    aliases: Aliases | None = None,
    options: Options | None = None,
) -> pa.Table:
    """Measure the masks of one source on their images, and keep the numbers in the lake's table `features`.

    Parameters
    ----------
    lake : Lake
    key : bytes
        The owner's secret.
    parameters : mapping
        Of the step `features`, as `radlake.engine.measure.settings` gives them.
    source : {"auto", "seg", "rtstruct", "label"}
    rois : sequence of str
        Patterns of names, or of what they go by; none: all.
    aliases : mapping, optional
        Patterns of names to the name to use.
    options : Options, optional

    Returns
    -------
    pyarrow.Table
        patient_id, series_id, image_id, mask_id, roi, source and the columns of a feature, of all images measured by
        these settings, whether now or before.

    Raises
    ------
    NoMasks
        When no image has such a mask.
    KeyMismatchError
        When the lake was made with another key.
    """
    names = aliases or {}
    chain = measured_chain(lake, step_of(parameters), parameters, source=source, rois=rois, aliases=names)
    work(lake, key, chain, source, options or Options())
    return _result(lake, chain, names)


def measured_chain(
    lake: Lake, name: str, parameters: Mapping[str, Any], *, source: Source, rois: Sequence[str], aliases: Aliases
) -> Chain:
    """The chain that loads images and masks of a lake and measures them by one step.

    Parameters
    ----------
    lake : Lake
    name : str
        A step that takes `image`, `mask` and these parameters.
    parameters : mapping
    source, rois, aliases
        As for `remeasure`.

    Raises
    ------
    NoMasks
        When no image has such a mask.
    """
    wanted = _names(lake, source, rois, aliases)
    patterns = wanted if rois else []
    return Chain(
        "measures",
        (
            Step("load"),
            Step("regions.stored", checked(stage("regions.stored"), {"source": source, "rois": patterns})),
            Step(name, {**checked(stage(name), parameters), "image": "original", "mask": source}),
        ),
    )


def work(lake: Lake, key: bytes, chain: Chain, source: Source, options: Options) -> None:
    """Do what is left of a chain of measurements.

    Raises
    ------
    KeyMismatchError
        When the lake was made with another key.
    """
    lake.require_key(fingerprint(key))
    started = time.perf_counter()
    with lake.lock():
        lake.recover()
        driver = Driver(lake, key, options)
        status = "stopped"
        try:
            driver.forget("measure", todo.MEASURED)
            driver.phase(chain, "measuring", todo.measures(lake, chain, source))
            status = "finished"
        finally:
            driver.record(Pipeline("features", chain.steps[1:]), {"measures": chain}, status, started)


def _names(lake: Lake, source: Source, rois: Sequence[str], aliases: Aliases) -> list[str]:
    """Names of the lake's masks that were asked for, in order."""
    there = lake.sql(f"SELECT DISTINCT source, roi FROM masks WHERE source = '{source}' ORDER BY roi")[
        "roi"
    ].to_pylist()
    found = [name for name in there if fits(name, rois, aliases)]
    if not there:
        sources = lake.sql("SELECT DISTINCT source FROM masks ORDER BY 1")["source"].to_pylist()
        raise NoMasks(f"the lake holds no masks of source {source!r}; it has: {', '.join(sources) or 'none at all'}")
    if not found:
        raise NoMasks(f"no region is called so; there are: {listed(there)}")
    return found


def _result(lake: Lake, chain: Chain, aliases: Aliases) -> pa.Table:
    """Rows of `features` that a chain made, with the masks they belong to."""
    table = lake.sql(
        f"""SELECT i.patient_id, i.series_id, f.image_id, f.mask_id, m.roi, m.source,
            f.family, f.aggregation, f.code, f.name, f.value, f.unit, f.reason, f.settings_id
        FROM features f JOIN masks m USING (mask_id) JOIN images i ON i.image_id = f.image_id
        WHERE f.owner LIKE '%+{chain.key}' ORDER BY ALL"""
    )
    column = table.schema.get_field_index("roi")
    names = [called(name, aliases) for name in table["roi"].to_pylist()]
    return table.set_column(column, "roi", pa.array(names, pa.string()))


STAGES: dict[str, Stage] = {
    "regions.stored": Stage(
        "regions.stored",
        1,
        "each",
        "measures",
        reads=("image:original", "masks"),
        adds=("mask:{source}",),
        function=stored,
        megabytes_per_megavoxel=1.0,
    )
}
