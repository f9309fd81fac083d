"""One input file to one cleaned file: which cleaner knows it, where the result lies, what the ledger says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

from pydicom.dataset import Dataset

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError, Term
from radlake.core.image import BoolArray
from radlake.deid import dataset_file, picture_pixels, pixel_text, pixels, placing, series, stored_pixels
from radlake.deid.account import AuditRow
from radlake.deid.actions import keyed_uid
from radlake.deid.contact_sheet import sheet
from radlake.deid.containers import jpeg, nifti, png, tiff
from radlake.deid.dataset import deidentify
from radlake.deid.dataset_file import DicomObject
from radlake.deid.dataset_values import person_of, text_of
from radlake.deid.faces import faces
from radlake.deid.ledger import Faces, PixelText
from radlake.deid.picture_pixels import Picture
from radlake.deid.pixels import Examined, Mode
from radlake.deid.profiles import options_of
from radlake.deid.pseudonyms import batch_id
from radlake.deid.rows import Profile
from radlake.deid.rules import Rulebook, rulebook
from radlake.formats import Reader, find_reader
from radlake.formats.source import Source
from radlake.lake.durable import publish, temporary_file, write_bytes
from radlake.lake.errors import storage_errors

Names = Literal["uid", "keep"]
_PIXELS_CLEANED, FACES_CLEANED = "clean-pixel-data", "clean-visual-features"
VERSION = 11  # raised whenever the same input and settings give another result
_SUFFIXES = {"nifti": ".nii", "png": ".png", "jpeg": ".jpg", "tiff": ".tif"}
_CONTAINERS: dict[str, Callable[[BinaryIO, BinaryIO], list[AuditRow]]] = {
    "png": png.clean, "jpeg": jpeg.clean, "tiff": tiff.clean,
}  # fmt: skip
_SITE, _MAKER, _SERIAL, _STATION = 0x00080080, 0x00080070, 0x00181000, 0x00081010
_LABEL_HINT = Term("its name says label map, which is not changed: look at it, then rename it or set it aside")
_UIDS = (0x0020000D, 0x0020000E, 0x00080018)  # of study, series and instance


@dataclass(frozen=True)
class Settings:
    """What decides how a file is cleaned. Holds the key: never printed.

    Parameters
    ----------
    key : bytes
        The owner's secret.
    profile : {"strict", "research"} or Rulebook
    options : tuple of str
        Further options of the standard, names of `profiles.OPTIONS`.
    names : {"uid", "keep"}
        Cleaned files are called by their new UIDs, or by their old path as far as that identifies nobody.
    pixels : {"redact", "review", "off"}
        Burned-in text is blanked; or files with such text are set aside, with pictures for their owner; or nobody
        looks.
    review : Path, optional
        A private folder for those pictures.
    series : Path, optional
        A private folder with lists of files by series, without which a face is looked for in each file alone.
    """

    key: bytes = field(repr=False)
    profile: Profile | Rulebook = "strict"
    options: tuple[str, ...] = ()
    names: Names = "uid"
    pixels: Mode = "redact"
    review: Path | None = None
    series: Path | None = None

    @property
    def all_options(self) -> tuple[str, ...]:
        """Every option in force, sorted. UsageError where a name is unknown."""
        looked = () if self.pixels == "off" else (_PIXELS_CLEANED,)
        book = rulebook(self.profile)
        return tuple(sorted(options_of(book.profile, (*book.options, *self.options, *looked))))


@dataclass(frozen=True)
class Input:
    """A file to clean.

    Parameters
    ----------
    path : Path
        Where it lies; identifying.
    relative : str
        Its path below the folder that is cleaned, with "/"; identifying.
    file_id : str
        Keyed id.
    series : str
        Name of the list of its series' files.
    """

    path: Path
    relative: str
    file_id: str
    series: str = ""


@dataclass(frozen=True)
class Cleaned:
    """What became of a file.

    Parameters
    ----------
    name : str
        Path of the cleaned file below the destination.
    format : str
    audit : list of AuditRow
    pixel_text, faces, site_id, device_id : str or None
        As in `ledger.FILES`.
    """

    name: str
    format: str
    audit: list[AuditRow]
    pixel_text: PixelText | None = None
    faces: Faces | None = None
    site_id: str | None = None
    device_id: str | None = None


def clean(source: Input, dest: Path, settings: Settings) -> Cleaned:
    """Write the cleaned copy of a file below a folder, whole or not at all.

    Parameters
    ----------
    source : Input
    dest : Path
        Another folder than the source's.
    settings : Settings

    Raises
    ------
    Ignored, ItemError
        When there is nothing to keep, or the file cannot be cleaned; nothing is written then.
    MissingExtra
        When reading of burned-in text is asked for and not installed.
    LakeError
        When the disk fails where the copy goes.
    """
    reader = find_reader(Source(str(source.path)))
    if reader.name == "dicom":
        return _clean_dicom(source, dest, settings)
    if reader.name not in _SUFFIXES:
        raise ItemError("not_cleanable", format=Term(reader.name.upper()))
    return _clean_picture(source, dest, settings, reader)


def _clean_dicom(source: Input, dest: Path, settings: Settings) -> Cleaned:
    """A DICOM object by PS3.15 Annex E, and its pixels."""
    with dataset_file.open_object(source.path) as found:
        shown = faces(found.dataset) if found.length else None
        face = _face(source, settings) if shown == "recognizable" and _must_go(settings) else None
        seen = _seen(source, found, settings)
        looked = (_PIXELS_CLEANED,) if seen is not None else ()
        options = (*settings.options, *looked)
        clean, audit = deidentify(found.dataset, profile=settings.profile, key=settings.key, options=options)
        name = _dicom_name(source, found.dataset, clean, settings)
        parts = None
        boxes = seen.boxes if seen is not None else []
        if boxes or face is not None:
            parts, done = stored_pixels.blanked(pixels.frames_in(found), boxes, clean, face)
            audit += [AuditRow("7FE0,0010", f"blanked, {done}", len(boxes))] if boxes else []
            audit += [AuditRow("7FE0,0010", f"face removed, {done}", len(face))] if face is not None else []
        dataset_file.write_object(clean, _place(source, dest, name), found, parts)
        known = pixel_text.state(pixel_text.row_of(found.dataset)) if found.length else None
        batch = _batch(found.dataset, settings)
    state = seen.state if seen is not None else known
    return Cleaned(name, "dicom", audit, state, shown if face is None else "removed", *batch)


def _must_go(settings: Settings) -> bool:
    """Whether the copies say that no face can be rebuilt from them."""
    return FACES_CLEANED in settings.all_options


def _face(source: Input, settings: Settings) -> BoolArray:
    """Mask of the face in each frame. ItemError ``face_left`` where none can be found: the copy would show it."""
    lists = settings.series if source.series else None
    found = series.find([source.path]) if lists is None else series.faces_of(lists, source.series)
    return found.face_in(source.path)


def _batch(dataset: Dataset, settings: Settings) -> tuple[str | None, str | None]:
    """Keyed ids of site and device, which studies need to tell batches apart; none under the profile "strict"."""
    if rulebook(settings.profile).profile != "research":
        return None, None
    number = text_of(dataset, _SERIAL) or text_of(dataset, _STATION)
    device = f"{text_of(dataset, _MAKER)} {number}" if number else None
    return batch_id(settings.key, "site", text_of(dataset, _SITE)), batch_id(settings.key, "device", device)


def _seen(source: Input, found: DicomObject, settings: Settings) -> Examined | None:
    """What is burned into the pixels; None where there are none, or nobody is to look."""
    if not found.length or settings.pixels == "off":
        return None
    seen = pixels.examine(pixels.frames_in(found))
    if seen.boxes and settings.pixels == "review":
        if settings.review:
            write_bytes(settings.review / f"{source.file_id}.png", sheet(seen.planes, seen.boxes))
        raise ItemError("text_found", boxes=len(seen.boxes))
    if seen.state == "unsure":
        raise ItemError("text_left")
    return seen


def _dicom_name(source: Input, dataset: Dataset, clean: Dataset, settings: Settings) -> str:
    """Where a cleaned object lies."""
    if settings.names == "keep":
        return placing.by_path(settings.key, source.relative, person_of(dataset, settings.key).is_named_in)
    uids = [text_of(clean, tag) for tag in _UIDS]
    return placing.by_uid(text_of(clean, 0x00100020), uids, source.file_id, ".dcm")


def _clean_picture(source: Input, dest: Path, settings: Settings, reader: Reader) -> Cleaned:
    """A NIfTI, PNG, JPEG or TIFF file: its parts copied as they are but for words; with text in it, written anew."""
    shown = picture_pixels.faces_of(source.path, reader) if reader.name == "nifti" else None
    if shown == "recognizable" and _must_go(settings):
        raise ItemError(
            "face_left", why=Term("of files, faces are removed from DICOM only; a pipeline's deid.deface can")
        )
    state, pictures = _pictures(source, settings, reader)
    boxes = sum(len(picture.boxes) for picture in pictures)
    name = _plain_name(source, settings, reader, _suffix(source, reader, blanked=boxes > 0))
    target = _place(source, dest, name)
    with storage_errors(), temporary_file(dest) as temporary:
        with temporary.open("w+b") as out:
            audit = _copy(source, reader, out)
            if boxes:
                out.seek(0)
                cleaned = out.read()
                out.seek(0)
                out.truncate()
                how = picture_pixels.write_blanked(reader.name, pictures, cleaned, out)
                audit.append(AuditRow("pixels", how, boxes))
        target.parent.mkdir(parents=True, exist_ok=True)
        publish(temporary, target)
    return Cleaned(name, reader.name, audit, state, shown)


def _copy(source: Input, reader: Reader, out: BinaryIO) -> list[AuditRow]:
    """The file without words, and what was left out."""
    if reader.name == "nifti":
        return nifti.clean(Source(str(source.path)), out)
    try:
        stream = source.path.open("rb")
    except OSError:
        raise ItemError("unreadable_file") from None
    with stream:
        return _CONTAINERS[reader.name](stream, out)


def _pictures(source: Input, settings: Settings, reader: Reader) -> tuple[PixelText, list[Picture]]:
    """What can be said of the text in a picture, and where it is."""
    if settings.pixels == "off":
        return picture_pixels.state_of(source.path, reader), []
    pictures = picture_pixels.read(source.path, reader)
    boxes = [box for picture in pictures for box in picture.boxes]
    if boxes and settings.pixels == "review":
        if settings.review:
            worst = max(pictures, key=lambda picture: len(picture.boxes))
            write_bytes(settings.review / f"{source.file_id}.png", sheet(worst.planes, worst.boxes))
        raise ItemError("text_found", boxes=len(boxes))
    if boxes and picture_pixels.word_of(source.path, reader) == "mask":
        raise ItemError("text_found", hint=_LABEL_HINT, boxes=len(boxes))
    return "redacted" if boxes else "clean", pictures


def _plain_name(source: Input, settings: Settings, reader: Reader, suffix: str) -> str:
    """Where a file lies that knows no UIDs: under keyed stand-ins of its folder and itself, or by its old path."""
    if settings.names == "keep":
        return placing.by_path(settings.key, source.relative, suffix=suffix)
    folder = PurePosixPath(source.relative).parent.as_posix()
    uids = [keyed_uid(settings.key, f"path\0{path}") for path in (folder, source.relative)]
    word = picture_pixels.word_of(source.path, reader)
    return placing.by_uid("", uids, source.file_id, f"_{word}{suffix}" if word else suffix)


def _suffix(source: Input, reader: Reader, *, blanked: bool) -> str:
    """Suffix of a cleaned file, by what is in it."""
    if reader.name == "nifti":
        return ".nii.gz" if nifti.is_packed(Source(str(source.path))) else ".nii"
    return _SUFFIXES["png" if blanked and reader.name == "jpeg" else reader.name]


def _place(source: Input, dest: Path, name: str) -> Path:
    """The path of a cleaned file, which is never the source itself."""
    place = dest / name
    if place.exists() and place.samefile(source.path):
        raise UsageError("source and destination are one file; name another destination")
    return place
