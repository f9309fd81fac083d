"""The stage contract: what a step of a pipeline is, whatever engine runs it.

A stage function of shape "each" or "group" takes one `Item` and keyword-only parameters, and returns rows; pixel
stages pass their results on in `item.images` and `item.regions`, so that a file is decoded once per chain.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from radlake.core.header import Header
from radlake.core.image import Image, Region
from radlake.core.place import Place

Row = dict[str, Any]
Rows = list[tuple[str, Row]]  # (table, row)
Shape = Literal["each", "group", "whole"]
Over = Literal["files", "series", "images", "measures", "cohort", "lake"]


class Objects(Protocol):
    """Content-addressed store of small results (previews, masks)."""

    def put(self, data: bytes, suffix: str) -> str:
        """Write once under the SHA-256 of the bytes and return the reference, such as "ab/abcd....png"."""
        ...

    def get(self, reference: str) -> bytes:
        """Read back; raises FileNotFoundError."""
        ...


@dataclass(frozen=True)
class Context:
    """What every worker knows: the key, where objects go, limits. Never printed.

    Parameters
    ----------
    key : bytes
        Secret for pseudonyms.
    objects : Objects
        Where results that are no rows go.
    memory_bytes : int
        Most that one item may take.
    patient_regex : str or None
        Pattern on the path whose first group names the patient, for formats without PatientID.
    strict : bool
        Unexpected exceptions are raised instead of recorded.
    models : Path, Remote or None
        Folder of the lake's model bundles.
    """

    key: bytes = field(repr=False)
    objects: Objects
    memory_bytes: int = 2 << 30
    patient_regex: str | None = None
    strict: bool = False
    models: Place | None = None


@dataclass
class Item:
    """One piece of work on its way through a fused chain.

    Parameters
    ----------
    unit : {"files", "series", "images", "measures"}
        What it is; "measures": an image that is measured again, by other settings.
    id : str
        file_id, series_id or image_id: the `owner` of the rows it makes.
    row : dict
        files: uri, bytes, mtime_ns. series: the key. images, measures: the row of `images`.
    members : list of dict
        series: its rows of `instances`. images: the instance rows that make it up, in order, each with `uri`, `frames`,
        `ordinal` and, for members of a container, `member_name`.
    masks : list of dict
        images: instance rows (with `uri`) of SEG, RTSTRUCT and label files that refer to it.
    headers : list of Header
        files: what the reader found; identifying, gone when the chain ends.
    images, regions : dict
        images: pixels and masks by the name that a step gave them ("original" is what was loaded).
    """

    unit: Over
    id: str
    row: Row
    context: Context
    members: list[Row] = field(default_factory=list)
    masks: list[Row] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    regions: dict[str, list[Region]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """A step that pipelines can name.

    Parameters
    ----------
    name : str
        As written in a pipeline, such as "filter.gaussian".
    version : int
        Raised whenever the same input and parameters would give other results.
    shape : {"each", "group", "whole"}
        each: item -> rows. group: rows of one key -> rows. whole: tables -> tables, on the driver.
    over : {"files", "series", "images", "measures", "cohort", "lake"}
        What its items are; "measures": images with masks that a lake holds already; "cohort": parts of a published
        data set that come with their own outlines.
    reads, adds : tuple of str
        What must be there before, and what it leaves: a table, or "image:NAME" / "mask:NAME" inside a chain
        ("{to}", "{image}" and "{mask}" stand for the value of that parameter).
    function : callable
        `function(item, *, parameter=default, ...) -> Rows`; for "whole", `function(lake, *, ...) -> None`.
    megabytes_per_megavoxel : float
        Working memory on top of the image itself.
    working_bytes : callable, optional
        `working_bytes(parameters, row of images)`, where the parameters decide: the same in bytes.
    """

    name: str
    version: int
    shape: Shape
    over: Over
    reads: tuple[str, ...]
    adds: tuple[str, ...]
    function: Callable[..., Any]
    megabytes_per_megavoxel: float = 0.0
    working_bytes: Callable[[Mapping[str, Any], Row], float] | None = None

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Keyword-only parameters of the function: the only schema a pipeline has."""
        found = inspect.signature(self.function, eval_str=True).parameters
        return {n: p for n, p in found.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
