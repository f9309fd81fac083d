"""The examination of a folder: plant, clean, clean once more in another process, mark."""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.deid.dataset_file import deidentify_file
from radlake.deid.profiles import options_of
from radlake.deid.ps315 import Rules, rules_for
from radlake.deid.rows import Profile
from radlake.deid.selftest import pixels
from radlake.deid.selftest.names import Inventor
from radlake.deid.selftest.plant import Key, plant
from radlake.deid.selftest.score import ACTIONS, Action, Sheet, mark_file
from radlake.formats.dicom.elements import silent_pydicom

_KEY = hashlib.sha256(b"the key of selftests: of nobody's data").digest()
_OTHER_KEY = hashlib.sha256(b"another key of selftests").digest()
_RELATED = 1_000_000  # beyond every seed of a single file
_PIXELS = Tag(0x7FE00010)


@dataclass
class Marks:
    """Result of an examination.

    Parameters
    ----------
    profile : str
    files : int
        Planted in and cleaned.
    refused : dict of code -> count
        Files that the cleaner set aside with a reason; nothing was written of them.
    crashes : list of str
        Kinds of exceptions that nobody foresaw.
    sheet : Sheet
        Right and wrong actions.
    planted : int
        Identities that were planted.
    """

    profile: Profile
    files: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    sheet: Sheet = field(default_factory=Sheet)
    planted: int = 0

    def leaks(self, kind: str) -> list[str]:
        """Places that leaked: kind "listed" or "unlisted"."""
        return sorted({place for place in self.sheet.wrong.get("text removed", ()) if place.startswith(kind)})

    @property
    def right(self) -> float:
        """Share of all actions that were right."""
        right = sum(self.sheet.right.values())
        return right / max(1, right + sum(map(len, self.sheet.wrong.values())))

    def lines(self) -> Iterator[str]:
        """The score table."""
        yield f"profile {self.profile}: {self.files} files, {self.planted:,} identities planted"
        for action in ACTIONS:
            rate = self.sheet.rate(action)
            wrong = len(self.sheet.wrong.get(action, ()))
            total = self.sheet.right[action] + wrong
            shown = "not tested" if rate is None else f"{100 * rate:7.3f} %  {wrong:,} wrong of {total:,}"
            yield f"  {action:<22} {shown}"
        yield f"  {'all actions':<22} {100 * self.right:7.3f} %"
        yield f"  leaks: {len(self.leaks('listed'))} listed, {len(self.leaks('unlisted'))} unlisted; " + (
            f"{len(self.crashes)} crashes; {sum(self.refused.values())} files set aside with a reason"
        )


@dataclass(frozen=True)
class _Sitting:
    """One file of an examination."""

    source: Path
    out: Path
    key: Key
    rules: Rules


def selftest(files: Sequence[Path], *, seed: int, profile: Profile, pictures: int = 0, again: int = 1) -> Marks:
    """Plant invented identities in real DICOM files, clean them, and mark the result.

    Parameters
    ----------
    files : sequence of Path
        Real files; others are passed over. They stay as they are.
    seed : int
        Chooses the identities.
    profile : {"strict", "research"}
    pictures : int
        Files at most in whose pixels a name is drawn as well; that needs the extra `ocr`.
    again : int
        One file in so many is cleaned in another process, too, which must give the same bytes.

    Raises
    ------
    UsageError
        When none of the files is a DICOM object that can be planted in.
    MissingExtra
        When reading of text is asked for and not installed.
    """
    marks = Marks(profile)
    with tempfile.TemporaryDirectory() as folder, silent_pydicom():
        sittings = [s for n, path in enumerate(files) if (s := _sit(path, Path(folder), n, seed, profile)) is not None]
        if not sittings:
            raise UsageError("expected a folder with DICOM objects, found none that can be read and written")
        done = [sitting for sitting in sittings if _clean(sitting, marks)]
        patients = [_mark(sitting, marks) for sitting in done]
        _mark_bijection("UID consistent", marks.sheet.renamed, marks)
        _mark_bijection("patient id consistent", patients, marks)
        _mark_other_process(done[::again], Path(folder), marks)
        _mark_pictures(files, Path(folder), pictures, seed, marks)
    return marks


def _mark_pictures(files: Sequence[Path], folder: Path, most: int, seed: int, marks: Marks) -> None:
    """Names drawn into pixels are gone, and all else is as it was, on the first files that can hold one."""
    for number, path in enumerate(files):
        if most <= 0:
            break
        sheet = pixels.examine(path, folder, seed=seed * 1000 + number, profile=marks.profile, key=_KEY)
        if sheet is not None:
            marks.sheet.add(sheet)
            most -= 1


def _sit(path: Path, folder: Path, number: int, seed: int, profile: Profile) -> _Sitting | None:
    """A copy of a file with identities in it; None for what pydicom cannot read or write whole."""
    target = folder / "in" / f"{number}.dcm"
    target.parent.mkdir(exist_ok=True)
    try:
        dataset = dcmread(path)
        rules = rules_for(str(dataset.get("SOPClassUID", "")), options_of(profile))
        dataset.SpecificCharacterSet = dataset.get("SpecificCharacterSet") or "ISO_IR 192"
        key = plant(dataset, rules, seed * 1000 + number)
        _relate(dataset, key, Inventor(_RELATED + seed * 1000 + number // 2))
        key.forget_chance(path.read_bytes(), bytes(dataset.get("PixelData", b"")))
        dcmwrite(target, dataset, enforce_file_format=True)
        dcmread(target)
    except Exception:  # noqa: BLE001 - pydicom documents no closed list of what damaged files can raise
        return None
    return _Sitting(target, folder / "out" / f"{number}.dcm", key, rules)


def _relate(dataset: Dataset, key: Key, invent: Inventor) -> None:
    """Two files each of one invented patient, in one frame of reference: what is equal must stay equal."""
    patient, issuer, frame = invent.number(), invent.number(), invent.number()
    dataset.PatientID, dataset.IssuerOfPatientID, dataset.FrameOfReferenceUID = (
        patient, issuer, f"1.2.840.99999.{frame}",
    )  # fmt: skip
    key.needles |= dict.fromkeys((patient, issuer), "listed PatientID of two files")
    key.needles[frame] = "listed FrameOfReferenceUID of two files"


def _clean(sitting: _Sitting, marks: Marks) -> bool:
    """Clean one file; a refusal and a crash are counted."""
    try:
        deidentify_file(sitting.source, sitting.out, profile=marks.profile, key=_KEY)
    except ItemError as error:
        marks.refused[error.code] = marks.refused.get(error.code, 0) + 1
        return False
    except Exception as error:  # noqa: BLE001 - counting them is the point
        marks.crashes.append(type(error).__name__)
        return False
    marks.files += 1
    marks.planted += len(sitting.key.needles)
    return True


def _mark(sitting: _Sitting, marks: Marks) -> tuple[str, str]:
    """The actions of one file; its patient's id before and after."""
    before, after, data = dcmread(sitting.source), dcmread(sitting.out), sitting.out.read_bytes()
    if sitting.key.leaks(data):
        other = sitting.out.with_suffix(".other")
        deidentify_file(sitting.source, other, profile=marks.profile, key=_OTHER_KEY)
        sitting.key.forget_ids(data, other.read_bytes())
    marks.sheet.add(mark_file(before, after, data, sitting.key, sitting.rules))
    if _PIXELS in before:
        same = _PIXELS in after and after[_PIXELS].value == before[_PIXELS].value
        marks.sheet.mark("pixels retained", same, "7FE0,0010")
    return str(before.get("PatientID", "")), str(after.get("PatientID", ""))


def _mark_bijection(action: Action, pairs: Sequence[tuple[str, str]], marks: Marks) -> None:
    """One stand-in for each value over all files, and no stand-in of two values."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for old, text in pairs:
        found[old].add(text)
        owners[text].add(old)
    for new in found.values():
        good = len(new) == 1 and "" not in new and all(len(owners[text]) == 1 for text in new)
        marks.sheet.mark(action, good, action)


def _mark_other_process(done: Sequence[_Sitting], folder: Path, marks: Marks) -> None:
    """Another process writes the same bytes: ids, UIDs and shifts agree without a table."""
    again = [(s.source, folder / "again" / s.out.name, marks.profile) for s in done]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for sitting, data in zip(done, pool.map(_cleaned, again), strict=True):
            marks.sheet.mark("UID consistent", data == sitting.out.read_bytes(), "in another process")


def _cleaned(work: tuple[Path, Path, Profile]) -> bytes:
    """A file as another process cleans it."""
    source, out, profile = work
    deidentify_file(source, out, profile=profile, key=_KEY)
    return out.read_bytes()
