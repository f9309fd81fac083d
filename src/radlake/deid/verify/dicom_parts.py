"""Taking a DICOM file apart: every element at any depth, private ones too, and where its pixels lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from radlake.formats.dicom.elements import silent_pydicom

PIXELS = Tag(0x7FE00010)
_LARGE = 1 << 20  # bytes; larger values stay on the disk
_DEEPEST = 60
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Opened:
    """A DICOM file: its data set, and the first and last byte of its pixel element's value, where it has one."""

    path: Path
    dataset: Dataset
    pixels: tuple[int, int] | None


def opened(path: Path) -> Opened | None:
    """The file; None where it is none of DICOM's, or cannot be read."""
    try:
        with silent_pydicom():
            dataset = dcmread(path, force=True, defer_size=_LARGE)
            if not len(dataset) or not any(tag.group in {0x0008, 0x0010, 0x0020, 0x0028} for tag in dataset.keys()):  # noqa: SIM118
                return None
            return Opened(path, dataset, _span(dataset, path))
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged bytes can raise
        return None


def _span(dataset: Dataset, path: Path) -> tuple[int, int] | None:
    """Bytes of the value of the pixel element."""
    if PIXELS not in dataset:
        return None
    element = dataset.get_item(PIXELS)
    if not isinstance(element, RawDataElement):
        return None
    if element.length != _UNDEFINED:
        return element.value_tell, element.value_tell + element.length
    if element.value is not None:
        return element.value_tell, element.value_tell + len(element.value) + 8  # the delimiter is the pixels' own
    return element.value_tell, path.stat().st_size


def elements(dataset: Dataset, where: str = "", depth: int = 0) -> Iterator[tuple[str, Dataset, BaseTag, str]]:
    """Place, data set, tag and VR of every element at every depth, sequences before what is in them."""
    for tag in sorted(dataset.keys()):
        place = f"{where}({tag.group:04X},{tag.element:04X})"
        element = dataset.get_item(tag)
        vr = str(element.VR or "UN")
        if isinstance(element, RawDataElement) and vr in {"UN", "None"}:
            vr = _converted(dataset, tag)
        yield place, dataset, tag, vr
        if vr == "SQ" and depth < _DEEPEST:
            for number, item in enumerate(items(dataset, tag)):
                yield from elements(item, f"{place}[{number}]", depth + 1)


def _converted(dataset: Dataset, tag: BaseTag) -> str:
    """VR that pydicom gives an element without one."""
    try:
        return str(dataset[tag].VR)
    except Exception:  # noqa: BLE001 - as above
        return "UN"


def items(dataset: Dataset, tag: BaseTag) -> list[Dataset]:
    """Items of a sequence; none where it cannot be read."""
    try:
        return list(dataset[tag].value or ())
    except Exception:  # noqa: BLE001 - as above
        return []


def texts(dataset: Dataset, tag: BaseTag | str) -> list[str]:
    """Values of an element as texts; raw bytes as Latin-1 where it cannot be read."""
    if tag not in dataset:
        return []
    try:
        value = dataset[tag].value
    except Exception:  # noqa: BLE001 - as above
        return [raw(dataset, tag).decode("latin-1")]
    if value is None:
        return []
    if isinstance(value, bytes):
        return [value.decode("latin-1")]
    return [str(v) for v in value] if isinstance(value, MultiValue | list | tuple) else [str(value)]


def raw(dataset: Dataset, tag: BaseTag | str) -> bytes:
    """Bytes of an element's value, empty where they were left on the disk."""
    value = dataset.get_item(tag).value
    return value if isinstance(value, bytes) else b""
