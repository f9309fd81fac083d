"""One cleaned DICOM file: every element at any depth, private blocks, meta information, preamble and all raw bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from radlake.deid.verify.dicom_parts import PIXELS, Opened, elements, opened, raw, texts
from radlake.deid.verify.leak import Leak, SourceKind
from radlake.deid.verify.public import EQUIPMENT, as_written, is_device, is_free_code, is_of_scheme
from radlake.deid.verify.sources import Sources, digest, moments
from radlake.deid.verify.text import LEAST_IN_PIXELS, in_bytes, in_stream, in_text

_FREE = frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "UR", "UN"})
_PLAIN = frozenset({"CS", "AE", "AS", "TM"})  # no shapes: too short to have one
_BYTES = frozenset({"OB", "OW", "OD", "OF", "OL", "OV", "OB or OW", "UN"})
# Names and versions of products hold digits and capitals of all shapes; only identifiers that are known count there.
_TECHNICAL = EQUIPMENT | {0x00120063}
_NO_DATE = frozenset({"", "19000101"})  # nothing, and the dummy of the standard's action D
# PS3.16 CID 7050: what a file says was kept on purpose.
_KEPT: dict[str, frozenset[SourceKind]] = {
    "113106": frozenset({"date"}),
    "113109": frozenset({"device"}),
    "113110": frozenset({"uid"}),
    "113112": frozenset({"institution", "address"}),
}
_MODIFIED, _UNMODIFIED = "MODIFIED", "UNMODIFIED"
_MOST_BEHIND = 1 << 20  # bytes behind the pixels that are read for shapes
_LEAST_NUMBER = 6  # characters of a decimal string that may be a record number


def leaks(path: Path, sources: Sources) -> Iterator[Leak]:
    """What a cleaned DICOM file gives away, each kind and place once."""
    file = opened(path)
    if file is None:
        yield Leak("unreadable", "whole file")
        return
    kept = _kept(file.dataset)
    found = dict.fromkeys(leak for leak in _all(file, sources) if leak.kind not in kept)
    yield from found


def _all(file: Opened, sources: Sources) -> Iterator[Leak]:
    if texts(file.dataset, "PatientIdentityRemoved") != ["YES"]:
        yield Leak("not marked as cleaned", "(0012,0062)")
    for dataset in (file.dataset, getattr(file.dataset, "file_meta", None) or Dataset()):
        for place, owner, tag, vr in elements(dataset):
            if vr != "SQ" and tag != PIXELS:
                yield from _in_element(owner, tag, vr, place, sources)
    yield from _days(file, sources)
    yield from in_bytes(bytes(getattr(file.dataset, "preamble", None) or b""), "preamble", sources.needles)
    yield from _behind(file, sources)
    yield from _in_raw_bytes(file, sources)


def _kept(dataset: Dataset) -> frozenset[str]:
    """Kinds of identifiers that the file says were kept on purpose."""
    codes = [
        code
        for place, owner, tag, _ in elements(dataset)
        if tag == 0x00080100 and place.startswith("(0012,0064)")
        for code in texts(owner, tag)
    ]
    return frozenset(kind for code in codes for kind in _KEPT.get(code, ()))


def _in_element(dataset: Dataset, tag: BaseTag, vr: str, place: str, sources: Sources) -> Iterator[Leak]:
    """What one element gives away."""
    needles = sources.needles
    if vr in _BYTES:  # public ones hold samples and tables, in which shapes turn up by chance
        shaped = tag.is_private or vr == "UN"
        yield from in_bytes(raw(dataset, tag), place, needles, shaped=shaped, least=0 if shaped else LEAST_IN_PIXELS)
        return
    for text in texts(dataset, tag):
        if vr == "UI":
            if text.strip(" \0") in needles.uids:
                yield Leak("uid", place)
        elif vr in {"DS", "IS"}:
            kind = needles.whole(text) if len(text.strip()) >= _LEAST_NUMBER else None
            if kind is not None:
                yield Leak(kind, place)
            elif text.strip(" \0") and not _is_number(text):
                yield from in_text(text, place, needles)
        elif vr in _FREE or vr == "PN":
            yield from _in_free_text(dataset, tag, text, place, sources)
        elif vr in _PLAIN:
            yield from in_text(text, place, needles, shaped=False)


def _in_free_text(dataset: Dataset, tag: BaseTag, text: str, place: str, sources: Sources) -> Iterator[Leak]:
    """What one text gives away."""
    if is_free_code(dataset, tag, text):
        return
    own = tag in _TECHNICAL or is_of_scheme(dataset, tag)
    kind = sources.needles.whole(text) if len(text.strip()) > 1 and not own else None
    yield from [Leak(kind, place)] if kind else ()
    device = is_device(tag, text, sources.devices)
    found = in_text(text, place, sources.needles, shaped=not own)
    yield from (leak for leak in found if not (device and leak.kind == "name"))


def _is_number(text: str) -> bool:
    """Whether a decimal string is one."""
    try:
        float(text.strip(" \0"))
    except ValueError:
        return False
    return True


def _days(file: Opened, sources: Sources) -> Iterator[Leak]:
    """Days that the file should not have: any where dates were removed, else those of its own source."""
    modified = next(iter(texts(file.dataset, "LongitudinalTemporalInformationModified")), "").strip()
    if modified == _UNMODIFIED:
        return
    own = sources.days.get(digest(file), frozenset()) if sources and file.pixels else frozenset()
    for place, dataset, tag, vr in elements(file.dataset):
        if vr not in {"DA", "DT"}:
            continue
        for text in texts(dataset, tag):
            day = text.strip(" \0")[:8]
            if modified != _MODIFIED and day not in _NO_DATE:
                yield Leak("date kept", place)
            elif day in own and day not in _NO_DATE:
                yield Leak("date", place)
    if sources.moments & set(moments(file.dataset)):
        yield Leak("date", "a day with its time")


def _behind(file: Opened, sources: Sources) -> Iterator[Leak]:
    """Bytes that follow the pixels."""
    if file.pixels is None:
        return
    with file.path.open("rb") as stream:
        stream.seek(file.pixels[1])
        yield from in_bytes(stream.read(_MOST_BEHIND), f"bytes from {file.pixels[1]}", sources.needles)


def _in_raw_bytes(file: Opened, sources: Sources) -> Iterator[Leak]:
    """Known identifiers in any readable run of the file, wherever no reader would look for an element.

    Days are left out: those that were moved may fall on the day of somebody else.
    """
    public = as_written(file.dataset, sources.devices)
    with file.path.open("rb") as stream:
        yield from (leak for leak in in_stream(stream, sources.needles, public=public) if leak.kind != "date")
