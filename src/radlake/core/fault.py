"""What can go wrong with one input, as data: codes, messages and hints.

A message is one of the templates below, filled with numbers and `Term`s only, because the text of a library's
exception may quote patient data. Expected problems raise `ItemError`; objects that hold nothing to keep raise
`Ignored`. Everything else is a bug and becomes the code `unexpected`.

    Exception
    ├── ItemError            the item is set aside: code, message, hint
    │   └── Ignored          the item holds nothing to keep: not an error
    └── BrokenMembers        some of what the item is made of is set aside; the item is built again without it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Term(str):
    """A word from the project's or a standard's own vocabulary: safe to show, never a value from a file."""

    __slots__ = ()


class Rule(NamedTuple):
    """Message template and hint of a fault code."""

    message: str
    hint: str


FAULTS: dict[str, Rule] = {
    # reading
    "empty_file": Rule("the file has no bytes", "copy it again from its source"),
    "unreadable_file": Rule("the file could not be opened", "check that it exists and that you may read it"),
    "not_an_image": Rule("no reader knows this format", "remove it from the folder, or convert it to DICOM or NIfTI"),
    "unreadable_header": Rule("the header could not be read", "the file is damaged; export it again"),
    "unsupported_format": Rule("{format}: this variant is not supported", "convert it to DICOM or NIfTI"),
    "no_pixels": Rule("the object should hold pixels but has none", "export it again with its pixel data"),
    "truncated_pixels": Rule(
        "expected {expected} bytes of pixels, found {found}", "the copy stopped early; export the file again"
    ),
    "undecodable_pixels": Rule("the compressed pixels could not be decoded", "export the file uncompressed"),
    "unsupported_syntax": Rule(
        "transfer syntax {syntax} has no decoder here", "transcode it, for example to Explicit VR Little Endian"
    ),
    "not_cleanable": Rule(
        "{format}: files of this format are not cleaned", "convert it to DICOM, NIfTI, PNG, JPEG or TIFF, or use a lake"
    ),
    "text_found": Rule(
        "{boxes} places with text in the picture",
        "look at its picture in the private part; --pixels redact blanks them",
    ),
    "text_left": Rule("there may be text in the picture that blanking does not remove", "look at it yourself"),
    "face_left": Rule("the face could not be removed: {why}", "look at it yourself; remove the face with another tool"),
    "contradictory_header": Rule("the header contradicts itself: {what}", "export the file again"),
    "too_large": Rule(
        "needs about {needed_mib} MiB, the limit is {limit_mib} MiB", "raise --memory, or set this file aside"
    ),
    "damaged_archive": Rule("the compressed file or archive is damaged", "copy it again from its source"),
    "locked_archive": Rule("the archive needs a password", "unpack it with its password first"),
    "bomb": Rule(
        "the header promises {promised_mib} MiB from {stored_mib} MiB stored", "not opened: check where it came from"
    ),
    # cleaning files
    "leak_found": Rule(
        "places in the cleaned file that may tell whose it is: {found}", "see findings.parquet; it was moved out"
    ),
    # building images
    "missing_slices": Rule("expected {expected} slices, found {found}", "request the missing slices again"),
    "missing_frames": Rule("expected {expected} frames, found {found}", "export the file again"),
    "mixed_geometry": Rule("slices of one series do not fit together: {what}", "split the series by orientation"),
    "reference_missing": Rule(
        "the image it refers to is not in the lake", "add the referenced series and retry the quarantine"
    ),
    "misaligned_mask": Rule("the mask does not lie on the image: {what}", "check that both are of one series"),
    "absent_region": Rule(
        "no region is called so; there are: {names}", "choose among these, or leave out the choice to take all"
    ),
    "not_finite": Rule("values inside the region are not finite", "repair the image, or leave them out of the mask"),
    "too_few_axes": Rule(
        "expected an image with {expected} axes, found {found}", "filter planes by two kernels, bands or orders"
    ),
    "absent_model": Rule("the lake holds no such model of images", "add it: radlake model add LAKE FOLDER"),
    "unfit_for_model": Rule("the model takes {wanted}, this image has {what}", "choose another model for these images"),
    "empty_mask": Rule("the mask holds no voxel", "check the outline or the threshold"),
    "too_many_levels": Rule(
        "the bins are too narrow for the region's range of values", "use a wider bin, or bin_count"
    ),
    "unsupported_structure": Rule("structure of type {what} is not supported", "export closed planar contours"),
    # tables and texts
    "unmatched_key": Rule("row {row}: no image in the lake has this key", "check --on and the key's spelling"),
    "ambiguous_key": Rule("row {row}: the key fits {found} units", "use a narrower key, such as series_uid"),
    "conflicting_label": Rule("row {row}: its unit already has another value of the target", "keep one row per unit"),
    "bad_table": Rule("the table could not be read: {what}", "save it as CSV with a header row, or as Parquet"),
    # work
    "worker_died": Rule("the worker process ended while it held this item, twice", "report it with the file's format"),
    "timed_out": Rule("took longer than {limit_s} s", "raise --timeout, or set this file aside"),
    "out_of_memory": Rule("needed more than the {limit_mib} MiB it was given", "raise --memory"),
    "unexpected": Rule("an unforeseen {kind} in stage {stage}", "rerun with --strict and report what it prints"),
    # nothing to keep
    "presentation_only": Rule("holds display settings, no image", "nothing to do"),
    "selection_only": Rule("lists other objects, holds no image", "nothing to do"),
    "plan_only": Rule("holds a treatment plan or record, no image", "nothing to do"),
    "waveform_only": Rule("holds a waveform, no image", "nothing to do"),
    "directory_record": Rule("is a DICOM directory, no image", "nothing to do"),
    "side_file": Rule("accompanies other data (text, table, script), no image", "use radlake join for tables"),
    "no_image_object": Rule("is a DICOM object that holds no image", "nothing to do"),
}


@dataclass(frozen=True)
class Fault:
    """Why an item was set aside.

    Parameters
    ----------
    stage : str
        Name of the stage that met the problem.
    code, message, hint : str
        From `FAULTS`.
    ignored : bool
        True when there was simply nothing to keep.
    """

    stage: str
    code: str
    message: str
    hint: str
    ignored: bool = False


class ItemError(Exception):
    """An expected problem with one item.

    Parameters
    ----------
    code : str
        A key of `FAULTS`.
    hint : Term, optional
        Instead of the code's usual hint.
    values : int, float or Term
        What the message template names. Plain strings are refused: they could come from a file.

    Examples
    --------
    >>> str(ItemError("missing_slices", expected=120, found=118))
    'expected 120 slices, found 118'
    """

    ignored = False

    def __init__(self, code: str, hint: Term | None = None, **values: int | float | Term) -> None:
        for name, value in values.items():
            if isinstance(value, str) and not isinstance(value, Term):
                raise TypeError(f"ItemError value {name!r} must be a number or a Term, got a plain str")
        rule = FAULTS[code]
        self.code = code
        self.values = values
        self.hint = str(hint or rule.hint)
        super().__init__(rule.message.format(**values))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.hint, self.values))

    def fault(self, stage: str) -> Fault:
        """The same as a record, naming the stage that met it."""
        return Fault(stage, self.code, str(self), self.hint, self.ignored)


class Ignored(ItemError):  # noqa: N818 - it is no error
    """The item holds nothing to keep; its row says so."""

    ignored = True


class BrokenMembers(Exception):  # noqa: N818 - names what was found
    """Some members of an image cannot be read, others can: those are set aside and the image is built again.

    Parameters
    ----------
    members : list of (file_id, member, ItemError)
        What cannot be read, and why.
    """

    def __init__(self, members: list[tuple[str, int, ItemError]]):
        self.members = members
        super().__init__(f"{len(members)} members cannot be read")


def _rebuild(cls: type[ItemError], code: str, hint: str, values: dict[str, int | float | Term]) -> ItemError:
    """Rebuild an error after pickling, keyword arguments included."""
    return cls(code, hint=Term(hint), **values)
