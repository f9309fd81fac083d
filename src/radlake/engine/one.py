"""One image through one step of a pipeline, without a lake: for the command line and for a first look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from radlake.core.errors import RadlakeError, UsageError
from radlake.core.fault import ItemError
from radlake.core.image import Image
from radlake.core.stage import Context, Item, Stage
from radlake.engine.parameters import checked, describe
from radlake.engine.registry import UnknownName, stages

_FIXED = ("image", "to")  # there is one image and one result


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
    """Steps that make an image or a mask out of an image, by the name behind "family."."""
    mine = {n.removeprefix(f"{family}."): s for n, s in stages().items() if n.startswith(f"{family}.")}
    return {n: s for n, s in sorted(mine.items()) if s.shape == "each" and s.over == "images"}


def usage(family: str) -> str:
    """The steps of a family with their parameters, a line each."""
    lines = []
    for name, step in steps_of(family).items():
        words = [
            f"--{n.replace('_', '-')} {describe(p.annotation)} ({p.default})"
            for n, p in step.parameters.items()
            if n not in _FIXED
        ]
        first = (step.function.__doc__ or "").strip().splitlines()[0]
        lines.append(f"{name}: {first}\n    " + "\n    ".join(words))
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


def apply(family: str, name: str, image: Image, parameters: Mapping[str, Any]) -> Image:
    """The image or mask that a step makes of an image.

    Parameters
    ----------
    family : str
        "filter", "segment" or another family of `radlake.engine.registry.stages`.
    name : str
        Of the step in its family, such as "median".
    image : Image
    parameters : mapping
        Checked against the step's own.

    Raises
    ------
    UnknownName, BadParameter
        For a name or value that does not fit.
    Unfit
        When the step cannot use the image.
    """
    known = steps_of(family)
    if name not in known:
        raise UnknownName(family, name, list(known))
    step = known[name]
    for fixed in _FIXED:
        if fixed in parameters:
            raise UsageError(f"{fixed!r} names images inside a pipeline; here there is one")
    given = checked(step, parameters)
    item = Item("images", "im-one", {}, Context(b"", Nowhere()), images={given.get("image", "original"): image})
    try:
        step.function(item, **given)
    except ItemError as error:
        raise Unfit(f"{family} {name}: {error}; {error.hint}") from None
    to = given["to"]
    return item.images[to] if to in item.images else item.regions[to][0].mask
