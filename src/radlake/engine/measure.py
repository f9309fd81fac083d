"""Features of regions without a lake: an image and its mask from files, through the step `features`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError, Term
from radlake.core.image import Image, Region
from radlake.core.stage import Context, Item
from radlake.deid.regions import region_names
from radlake.engine.one import Nowhere, Unfit
from radlake.engine.parameters import checked
from radlake.engine.registry import UnknownName
from radlake.engine.rois import Aliases, called, fits, listed
from radlake.features.families import family
from radlake.features.pyradiomics_settings import is_parameter_file, parameters_of
from radlake.features.stages import STAGES, settings_from  # not the registry: it would load every room
from radlake.formats.read import read_image, read_regions

_PLACE = ("image", "mask")  # where the step finds its input: not the user's to choose here
COLUMNS = pa.schema(
    [
        ("roi", pa.string()),
        ("source", pa.string()),
        ("family", pa.string()),
        ("aggregation", pa.string()),
        ("code", pa.string()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("reason", pa.string()),
        ("settings_id", pa.string()),
    ]
)


class BadSettings(UsageError):  # noqa: N818 - names the problem
    """Settings of features that do not fit; the message says which."""


def settings(preset: str | None, config: Path | None) -> dict[str, Any]:
    """Parameters of the step `features` from a preset or a YAML file; the preset "default" without either.

    A parameter file of PyRadiomics gives those of the step `features.pyradiomics` instead; see `step_of`.

    Raises
    ------
    BadSettings, UnknownName, BadParameter
        For a file that is no mapping, an unknown name or a value that does not fit.
    """
    if preset is not None and config is not None:
        raise BadSettings("a preset brings all settings: give --preset or --config, or name the preset in the file")
    given = {"preset": preset or "default"} if config is None else _read(config)
    if is_parameter_file(given):
        try:
            parameters_of(given)
            return {"parameters": json.dumps(given, sort_keys=True)}
        except (TypeError, ValueError) as error:
            raise BadSettings(f"PyRadiomics parameter file: {error}") from None
    for name in _PLACE:
        if name in given:
            raise UnknownName("setting", name, [n for n in STAGES["features"].parameters if n not in _PLACE])
    return valid(given)


def step_of(parameters: Mapping[str, Any]) -> str:
    """The step that takes these parameters.

    Examples
    --------
    >>> step_of({"preset": "ibsi-c"}), step_of({"parameters": "{}"})
    ('features', 'features.pyradiomics')
    """
    return "features.pyradiomics" if "parameters" in parameters else "features"


def valid(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the step `features`, checked as far as they can be without an image."""
    parameters = checked(STAGES["features"], given)
    try:
        settings_from(parameters)
        for name in parameters["families"] or ():
            family(name)
    except ValueError as error:  # the room's own words on a value of the user's
        raise BadSettings(str(error)) from None
    return parameters


def _read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSettings(f"the settings cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise BadSettings("the settings are no YAML text in UTF-8") from None
    if not isinstance(found, dict):
        raise BadSettings("the settings must be a mapping, such as: bin_width: 25")
    return {str(name): value for name, value in found.items()}


def measure(
    image: Path, mask: Path, parameters: Mapping[str, Any], *, rois: Sequence[str] = (), aliases: Aliases | None = None
) -> pa.Table:
    """Features of the regions in a file on the image in another: one row a feature.

    Parameters
    ----------
    image, mask : paths
        Files or folders, as `radlake.formats.read` takes them.
    parameters : mapping
        As `settings` gives them.
    rois : sequence of str
        Patterns of names; none: all regions.
    aliases : mapping, optional
        Patterns of names to the name to use.

    Returns
    -------
    pyarrow.Table
        Columns as in `COLUMNS`.

    Raises
    ------
    Unfit
        When an input cannot be read, the mask does not lie on the image, or it holds no such region.
    """
    names = aliases or {}
    try:
        picture = read_image(image)
        regions = _chosen(read_regions(mask, picture, named=region_names), rois, names)
        return _table(picture, regions, parameters, names)
    except ItemError as error:
        raise Unfit(f"features: {error}; {error.hint}") from None
    except ValueError as error:  # several images in one folder: the list is made of sizes alone
        raise Unfit(f"features: {error}") from None


def _chosen(regions: Sequence[Region], rois: Sequence[str], aliases: Aliases) -> list[Region]:
    """Regions with a name that was asked for."""
    found = [region for region in regions if fits(region.roi, rois, aliases)]
    if not found:
        raise ItemError("absent_region", names=Term(listed(r.roi for r in regions)))
    return found


def _table(image: Image, regions: Sequence[Region], parameters: Mapping[str, Any], aliases: Aliases) -> pa.Table:
    """Rows of all regions."""
    item = Item("images", "im-one", {}, Context(b"", Nowhere()), images={"original": image})
    rows = []
    for region in regions:
        item.regions["this"] = [region]
        measured = STAGES[step_of(parameters)].function
        found = measured(item, **{**parameters, "image": "original", "mask": "this"})
        place = {"roi": called(region.roi, aliases), "source": region.source}
        rows += [place | {n: v for n, v in row.items() if n in COLUMNS.names} for _, row in found]
    return pa.Table.from_pylist(rows, schema=COLUMNS)
