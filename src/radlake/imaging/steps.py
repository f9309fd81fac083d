"""Steps made from operations: an operation's own signature is the schema of its step.

What only arrays need (`spacing`, `channel_axis`) is left out; masks are named by the regions of the chain, other images
by their files; a length that has a default is in millimetres only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Literal, get_args

import numpy as np

from radlake.core.fault import ItemError
from radlake.core.ids import derived_id
from radlake.core.image import Image, Region
from radlake.core.stage import Item, Rows, Stage
from radlake.imaging.labels import as_mask
from radlake.imaging.regions import keep_regions, mask_row

Uses = Literal["image", "mask"]
Gives = Literal["image", "mask", "labels"]
OutDtype = Literal["uint8", "int16", "uint16", "int32", "float32", "float64"]
Options = Mapping[str, Any]
Fits = Callable[[Image, Options], bool]

_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_ARRAYS_ONLY = ("spacing", "channel_axis")
_LIMIT = "memory_bytes"
REGIONS = ("mask", "initial", "markers")  # options that name regions
FILE = "reference"  # the option that names a file with a second image


@dataclass(frozen=True)
class Made:
    """The function of a step that applies an operation to an image of the chain, or to its masks.

    Parameters
    ----------
    operation : callable
        Takes an `Image`, for some a second one, and keyword-only options; returns an `Image`.
    uses : {"image", "mask"}
        What the operation is given.
    gives : {"image", "mask", "labels"}
        "mask" and "labels" are kept as regions: one, or one for each label. From masks, one "mask" each.
    to : str
        Default name of the result.
    roi : str
        What regions made from images and of labels are called.
    defaults : mapping
        Values where the step's default is not that of the operation.
    only : callable, optional
        Whether the operation makes sense for an image and options. Where not, the image stays as it is, or there is
        no region.
    absent : bool
        Whether it is no fault when there is no such region in the image.
    """

    operation: Callable[..., Image]
    uses: Uses
    gives: Gives
    to: str
    roi: str = ""
    defaults: Options = field(default_factory=dict)
    only: Fits | None = None
    absent: bool = False

    def __post_init__(self) -> None:
        source = inspect.Parameter(
            self.uses, _KEYWORD, default="original" if self.uses == "image" else "foreground", annotation=str
        )
        options = [*_options(self.operation, self.defaults)]
        named = [p for p in options if p.default is inspect.Parameter.empty]
        optional = [p for p in options if p.default is not inspect.Parameter.empty]
        to = inspect.Parameter("to", _KEYWORD, default=self.to, annotation=str)
        item = inspect.Parameter("item", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Item)
        object.__setattr__(self, "__signature__", inspect.Signature([item, source, *named, *optional, to]))
        object.__setattr__(self, "__doc__", _described(self, [p.name for p in options]))

    def __call__(self, item: Item, **given: Any) -> Rows:
        """Apply the operation and keep what it gives."""
        bound = inspect.signature(self).bind(item, **given)
        bound.apply_defaults()
        options = dict(bound.kwargs)
        source, to = options.pop(self.uses), options.pop("to")
        if self.uses == "mask" and self.gives == "mask":
            return self._each(item, source, to, options)
        image = item.images[source] if self.uses == "image" else joined(item.regions[source])
        if self.only is not None and not self.only(image, options):
            return self._keep(item, to, image if self.gives == "image" else None)
        try:
            return self._keep(
                item, to, self.operation(image, *_others(options), **_given(self.operation, item, options))
            )
        except ItemError as error:
            if error.code != "empty_mask" or not self.absent:
                raise
            return self._keep(item, to, None)

    def _keep(self, item: Item, to: str, found: Image | None) -> Rows:
        """The result under its name: an image, or regions and their rows."""
        if self.gives == "image" and found is not None:
            item.images[to] = found
            return []
        masks: Iterator[tuple[str, Image]] = iter(())
        if found is not None and self.gives == "labels":
            masks = (
                (f"{self.roi}_{n}", as_mask(found, found.array == n)) for n in range(1, int(found.array.max()) + 1)
            )
        elif found is not None:
            masks = iter([(self.roi, found)])
        return keep_regions(item, to, [(roi, mask) for roi, mask in masks if mask.array.any()])

    def _each(self, item: Item, source: str, to: str, options: Options) -> Rows:
        """The operation on each mask under a name, kept as regions of the same rois under another."""
        found = [
            (region, self.operation(region.mask, **_given(self.operation, item, options)))
            for region in item.regions[source]
        ]
        item.regions[to] = [
            Region(mask, roi=region.roi, source="auto", id=derived_id("mask", item.id, to, region.id))
            for region, mask in found
        ]
        return [("masks", mask_row(item, region)) for region in item.regions[to]]


def made(name: str, version: int, operation: Made, megabytes: float) -> Stage:
    """The stage of a made step: what it reads and adds follows from what it uses and gives.

    Parameters
    ----------
    name, version
        As in `Stage`.
    operation : Made
    megabytes : float
        Working memory in megabytes for a million voxels.
    """
    options = inspect.signature(operation).parameters
    reads = (
        f"{operation.uses}:{{{operation.uses}}}",
        *(f"mask:{{{n}}}" for n in REGIONS if n in options and n != operation.uses),
    )
    adds = ("image:{to}",) if operation.gives == "image" else ("mask:{to}", "masks")
    return Stage(name, version, "each", "images", reads, adds, operation, megabytes_per_megavoxel=megabytes)


def joined(regions: list[Region], *, numbered: bool = False) -> Image:
    """All regions of a name as one mask, or as labels from 1 in their order; where they overlap, the later one counts.

    Raises
    ------
    ItemError
        `empty_mask` when there is no region.
    """
    if not regions:
        raise ItemError("empty_mask")
    labels = np.zeros(regions[0].mask.array.shape, np.int32)
    for number, region in enumerate(regions, 1):
        labels[region.mask.array != 0] = number
    return as_mask(regions[0].mask, labels if numbered else labels > 0)


@lru_cache(maxsize=2)
def other_image(path: str) -> Image:
    """The image in a file or folder that many items are laid on or compared with, read once."""
    from radlake.formats.read import read_image

    return read_image(path)


def _options(operation: Callable[..., Image], defaults: Options) -> Iterator[inspect.Parameter]:
    """Parameters of the step that stand for those of the operation."""
    _, *rest = inspect.signature(operation, eval_str=True).parameters.values()
    lengths = any(name.endswith("_mm") for name in defaults)
    for own in rest:
        if own.name in (*_ARRAYS_ONLY, _LIMIT) or (own.name.endswith("_vox") and lengths):
            continue
        default = defaults.get(own.name, own.default)
        if own.name in REGIONS:
            yield own.replace(kind=_KEYWORD, annotation=str | None if default is None else str, default=default)
        elif own.kind is not _KEYWORD:  # a second image
            yield inspect.Parameter(FILE, _KEYWORD, annotation=str)
        elif own.name == "out_dtype":
            yield own.replace(annotation=OutDtype | None, default=None)
        else:
            certain = own.default is None and default is not None
            yield own.replace(default=default, annotation=_without_none(own.annotation) if certain else own.annotation)


def _without_none(annotation: Any) -> Any:
    """A union without its None."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    return reduce(or_, kinds) if kinds else annotation


def _given(operation: Callable[..., Image], item: Item, options: Options) -> dict[str, Any]:
    """Options as the operation takes them: regions by their masks, a limit of memory where it asks for one."""
    known = {n: v for n, v in options.items() if n != FILE and not (n == "out_dtype" and v is None)}
    for name in REGIONS:
        if known.get(name) is not None:
            known[name] = joined(item.regions[known[name]], numbered=name == "markers")
    if _LIMIT in inspect.signature(operation).parameters:
        known[_LIMIT] = item.context.memory_bytes
    return known


def _others(options: Options) -> list[Image]:
    """The second image, where the operation takes one."""
    return [other_image(options[FILE])] if FILE in options else []


def _described(step: Made, options: list[str]) -> str:
    """A docstring: what the operation says of itself, and what the step's own words mean."""
    first = (inspect.getdoc(step.operation) or "").split("\n\n")[0]
    what = "image to use" if step.uses == "image" else "masks to use"
    lines = [first, "", f"`{step.uses}`: name of the {what}. `to`: name of the result."]
    if FILE in options:
        lines.append(f"`{FILE}`: file or folder of the other image.")
    for name in (n for n in options if n in REGIONS):
        lines.append(f"`{name}`: name of the masks to give.")
    if rest := [f"`{name}`" for name in options if name not in (*REGIONS, FILE)]:
        where = f"{step.operation.__module__}.{step.operation.__name__}"
        lines.append(f"{', '.join(rest)}: as for `{where}`; None is its own choice.")
    return "\n".join(lines)
