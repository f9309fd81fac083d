"""Single images without a lake: one step of a pipeline, agreement, consensus; for the command line and a first look."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from radlake.core.errors import RadlakeError, UsageError
from radlake.core.fault import ItemError, Term
from radlake.core.image import Image, Region
from radlake.core.stage import Context, Item, Stage
from radlake.engine.parameters import checked, describe
from radlake.engine.registry import UnknownName, stages
from radlake.formats.read import read_image
from radlake.imaging.agreement import Agreement, same_grid
from radlake.imaging.agreement import agreement as compared
from radlake.imaging.channels import scalar
from radlake.imaging.consensus import likely, majority
from radlake.imaging.enhance import fit_nyul
from radlake.imaging.labels import as_mask
from radlake.imaging.segment import foreground
from radlake.imaging.steps import FILE, REGIONS

_RESULTS = {"image:{to}", "mask:{to}"}
_MOST_LABELS = 255  # more values are an image, not labels; TotalSegmentator has 117


class Unfit(RadlakeError):  # noqa: N818 - names the problem
    """The step cannot use this image; the message says why and what to do."""


class Nowhere:
    """Objects that are not kept."""

    def put(self, data: bytes, suffix: str) -> str:
        """Forget the bytes."""
        return f"{len(data)}{suffix}"

    def get(self, reference: str) -> bytes:
        """There is nothing."""
        raise FileNotFoundError(reference)


def steps_of(family: str) -> dict[str, Stage]:
    """Steps that make an image or a mask out of an image or a mask, by the name behind "family."."""
    mine = {n.removeprefix(f"{family}."): s for n, s in stages().items() if n.startswith(f"{family}.")}
    return {n: s for n, s in sorted(mine.items()) if s.over == "images" and _RESULTS & set(s.adds)}


def step_of(family: str, name: str) -> Stage:
    """The step of that name.

    Raises
    ------
    UnknownName
        With the family that has the name, or the nearest name of this one.
    """
    known = steps_of(family)
    if name not in known:
        families = [stage.removesuffix(f".{name}") for stage in sorted(stages()) if stage.endswith(f".{name}")]
        meant = next((f"{other} {name}" for other in families if name in steps_of(other)), None)
        raise UnknownName(family, name, list(known), meant=meant)
    return known[name]


def usage(family: str, name: str | None = None) -> str:
    """The steps of a family, or one of them, with their parameters, a line each."""
    chosen = steps_of(family) if name is None else {name: step_of(family, name)}
    lines = []
    for called, step in chosen.items():
        first = (step.function.__doc__ or "").strip().split("\n\n")[0]
        lines.append(f"{called}: {' '.join(first.split())}")
        lines += [f"    {_option(n, p)}" for n, p in step.parameters.items() if n not in _fixed(step)]
    return "\n".join(lines)


def parse(options: Sequence[str]) -> dict[str, Any]:
    """Parameters from words such as --radius-mm 2 --border nearest.

    Raises
    ------
    UsageError
        When the words are no pairs of names and values.

    Examples
    --------
    >>> parse(["--radius-mm", "2", "--border=nearest"])
    {'radius_mm': 2, 'border': 'nearest'}
    """
    words = [w for option in options for w in (option.split("=", 1) if option.startswith("--") else [option])]
    if len(words) % 2 or not all(w.startswith("--") for w in words[::2]):
        raise UsageError(f"expected pairs such as --radius-mm 2, got {' '.join(options)!r}")
    return {n[2:].replace("-", "_"): yaml.safe_load(v) for n, v in zip(words[::2], words[1::2], strict=True)}


def saved(path: Path) -> dict[str, Any]:
    """Parameters from a YAML or JSON file: a mapping of names to values.

    Raises
    ------
    UsageError
        When it is none.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{path.name} holds no mapping of parameters to values")
    return {str(name).replace("-", "_"): value for name, value in found.items()}


def read(path: Path, *, series: int | None = None) -> Image:
    """The image in a file or folder; what is wrong with it is told in our words.

    Raises
    ------
    Unfit
        When there is no image, or it cannot be read.
    SeveralImages
        When there are several and none was chosen.
    """
    if path.is_dir() and not any(file.is_file() for file in path.rglob("*")):
        raise Unfit(f"{path.name}: there is no file in this folder")
    try:
        return read_image(path, series=series)
    except ItemError as error:
        raise Unfit(f"{path.name}: {error}; {error.hint}") from None


def agreement(mask: Image, reference: Image) -> dict[str, Agreement]:
    """How well two masks agree, in millimetres, by the label; labels of one mask only are compared with nothing.

    Raises
    ------
    Unfit
        When they do not lie on one grid, hold many values, or are both empty.
    """
    try:
        ours, theirs = ({_label(r): r.mask for r in _parts(m)} for m in (mask, reference))
        if len(ours) == 1 and len(theirs) == 1:  # one object, whatever number it has
            ours, theirs = {"mask": next(iter(ours.values()))}, {"mask": next(iter(theirs.values()))}
        empty = as_mask(mask, np.zeros(mask.array.shape, np.bool_))
        other = as_mask(reference, np.zeros(reference.array.shape, np.bool_))
        names = sorted(ours.keys() | theirs.keys(), key=lambda name: (len(name), name))
        return {name: compared(ours.get(name, empty), theirs.get(name, other)) for name in names}
    except ItemError as error:
        raise Unfit(f"agreement: {error}; {error.hint}") from None


def consensus(masks: Sequence[Image], method: str) -> Image:
    """One mask of several, by "majority" or "staple".

    Raises
    ------
    Unfit
        When they do not lie on one grid, or all are empty.
    UnknownName
        For another method.
    """
    methods = {"majority": majority, "staple": likely}
    if method not in methods:
        raise UnknownName("method", method, list(methods))
    try:
        return methods[method]([as_mask(mask, mask.array != 0) for mask in masks])
    except ItemError as error:
        raise Unfit(f"consensus: {error}; {error.hint}") from None


def landmarks(paths: Sequence[Path]) -> dict[str, list[float]]:
    """Nyul's standard scale of a cohort, looking at the foreground of each image, one after the other.

    Raises
    ------
    Unfit
        When an image cannot be read or is constant.
    """

    def loaded() -> Iterator[tuple[Image, Image]]:
        for path in paths:
            image = scalar(read(path))
            yield image, foreground(image)

    try:
        images, masks = tee(loaded())
        return fit_nyul((i for i, _ in images), masks=(m for _, m in masks)).to_json()
    except ItemError as error:
        raise Unfit(f"landmarks: {error}; {error.hint}") from None


def apply(family: str, name: str, image: Image, parameters: Mapping[str, Any]) -> Image:
    """The image, mask or label image that a step makes of an image.

    Parameters
    ----------
    family : str
        "filter", "segment" or another family of `radlake.engine.registry.stages`.
    name : str
        Of the step in its family, such as "median".
    image : Image
        For a step that works on masks: a mask, or labels that stand for a mask each.
    parameters : mapping
        Checked against the step's own. Where a step takes another mask, the file that holds it; without one, the
        foreground of the image where the step cannot do without.

    Raises
    ------
    UnknownName, BadParameter
        For a name or value that does not fit.
    Unfit
        When the step cannot use the image, or finds nothing in it.
    """
    step = step_of(family, name)
    _refuse_fixed(step, parameters)
    given = checked(step, parameters)
    item = Item("images", "im-one", {}, Context(b"", Nowhere()), images={given.get("image", "original"): image})
    try:
        item.regions |= _regions(step, image, given, parameters)
        step.function(item, **given)
    except ItemError as error:
        raise Unfit(f"{family} {name}: {error}; {error.hint}") from None
    except ValueError as error:
        if not _ours(error):
            raise
        raise Unfit(f"{family} {name}: {error}") from None
    to = given["to"]
    return item.images[to] if to in item.images else _joined(item.regions[to], f"{family} {name}")


def apply_by_slabs(
    family: str, name: str, source: Path, dest: Path, parameters: Mapping[str, Any], *, memory: int
) -> int:
    """Run a step on a volume that need not fit into memory, from a .npy file or Zarr folder to another.

    Parameters
    ----------
    family, name, parameters
        As for `apply`, and "spacing": millimetres between samples along z, y and x, each 1 where it is absent.
    source, dest : Path
        As for `radlake.imaging.slabs.filter_file`.
    memory : int
        Bytes for a slab and the work on it.

    Returns
    -------
    int
        How many slabs it took.

    Raises
    ------
    UnknownName, BadParameter
        For a name or value that does not fit.
    Unfit
        When the step needs the whole image, or the memory does not hold a plane and what the step needs around it.
    """
    from radlake.imaging.slabs import filter_file  # brings the lake's way of writing, which measuring needs not

    step, options = step_of(family, name), dict(parameters)
    spacing = options.pop("spacing", None)
    if spacing is not None and not (isinstance(spacing, list) and all(isinstance(s, int | float) for s in spacing)):
        raise UsageError('expected millimetres along z, y and x, such as --spacing "[5, 0.7, 0.7]"')
    _refuse_fixed(step, options)
    # None is the function's own choice, which may be another value
    given = {n: v for n, v in checked(step, options).items() if n not in _fixed(step) and v is not None}
    try:
        return filter_file(source, dest, f"{family}.{name}", spacing=spacing, memory_mib=memory >> 20, **given)
    except ValueError as error:
        if not _ours(error):
            raise
        raise Unfit(f"{family} {name}: {error}") from None


def _refuse_fixed(step: Stage, parameters: Mapping[str, Any]) -> None:
    """Names of images make no sense where there is one."""
    for fixed in _fixed(step):
        if fixed in parameters:
            raise UsageError(f"{fixed!r} names images inside a pipeline; here there is one")


def _fixed(step: Stage) -> tuple[str, ...]:
    """Parameters that name the one image and the one result."""
    return ("mask", "to") if _works_on_masks(step) else ("image", "to")


def _works_on_masks(step: Stage) -> bool:
    """Whether the step reads no image."""
    return not any(place.startswith("image:") for place in step.reads)


def _option(name: str, parameter: inspect.Parameter) -> str:
    """A parameter in words."""
    default = "needed" if parameter.default is inspect.Parameter.empty else parameter.default
    kind = "a file" if name in (*REGIONS, FILE) else describe(parameter.annotation)
    return f"--{name.replace('_', '-')} {kind} ({default})"


def _regions(
    step: Stage, image: Image, given: dict[str, Any], parameters: Mapping[str, Any]
) -> dict[str, list[Region]]:
    """Masks by the names under which the step looks for them: IN itself, or files."""
    if _works_on_masks(step):
        return {given["mask"]: _parts(image)}
    found = {}
    for option in (n for n in REGIONS if given.get(n) is not None and n in step.parameters):
        if option in parameters:
            found[given[option]] = _parts(_mask_of(read_image(given[option]), image))
        else:
            found[given[option]] = _parts(foreground(image))
    return found


def _mask_of(mask: Image, image: Image) -> Image:
    """A mask from a file, which must lie on the image."""
    plain = scalar(image)
    if mask.array.shape == (1, *plain.array.shape):  # a plane that NIfTI holds as a volume of one slice
        mask = Image(mask.array[0], plain.geometry, kind="label", unit="label")
    calibrated = mask.geometry.calibrated and plain.geometry.calibrated
    fits = same_grid(mask, plain) if calibrated else mask.array.shape == plain.array.shape
    if not fits:
        raise ItemError("misaligned_mask", what=Term("the grids differ"))
    return as_mask(plain, mask.array)


def _parts(mask: Image) -> list[Region]:
    """A mask as one region, labels as one each; roi ends with the label."""
    values = np.unique(mask.array)
    labels = values[values != 0]
    most = _MOST_LABELS if mask.kind in ("label", "other") else 1
    if np.any(labels != np.rint(labels)) or len(labels) > most:
        raise ValueError("expected a mask or labels, got an image of many values; make a mask by radlake segment")
    if len(labels) == 0 or (len(labels) == 1 and labels[0] in (1, 255)):
        return [Region(as_mask(mask, mask.array != 0), roi="mask", source="label", id="mk-1")]
    return [Region(as_mask(mask, mask.array == n), f"label_{int(n)}", "label", f"mk-{int(n)}") for n in labels]


def _label(region: Region) -> str:
    """A region's label in words; a plain mask has label 1."""
    return "label_1" if region.roi == "mask" else region.roi


def _joined(regions: Sequence[Region], what: str) -> Image:
    """One mask as it is; several as a label image with the numbers at the end of their rois."""
    if not regions:
        raise Unfit(f"{what}: found nothing in this image; its values, unit (HU) or parameters do not fit")
    numbers = [int(end) if (end := region.roi.rpartition("_")[2]).isdigit() else None for region in regions]
    if len(regions) == 1 and numbers[0] is None:
        return regions[0].mask
    known = [place if number is None else number for place, number in enumerate(numbers, 1)]
    labels = np.zeros(regions[0].mask.array.shape, np.uint8 if max(known) < 256 else np.uint16)
    for region, number in zip(regions, known, strict=True):
        labels[region.mask.array != 0] = number
    return as_mask(regions[0].mask, labels)


def _ours(error: ValueError) -> bool:
    """Whether radlake itself refused a value: words of other libraries may quote what is in a file."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and str(frame.tb_frame.f_globals.get("__name__", "")).startswith("radlake.")
