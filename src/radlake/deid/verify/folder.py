"""A whole cleaned folder: every file in it, its name too; what gives somebody away is set aside, and a row says why."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.core.stage import Row
from radlake.deid import ledger
from radlake.deid.verify import dicom, faces, pictures, pixels, tables
from radlake.deid.verify.dicom_parts import Opened, opened, texts
from radlake.deid.verify.leak import Leak
from radlake.deid.verify.needles import words
from radlake.deid.verify.sources import Sources, collect
from radlake.deid.verify.text import in_stream, in_text
from radlake.formats.dicom.elements import silent_pydicom
from radlake.lake.durable import publish, temporary_file

Pixels = Literal["auto", "all", "off"]
FINDINGS_FILE = "findings.parquet"
FINDINGS = pa.schema({"object": pa.string(), "kind": pa.string(), "place": pa.string(), "set_aside": pa.bool_()})
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
_TEXTS = frozenset({".json", ".html", ".csv", ".tsv", ".md", ".txt", ".yaml", ".yml", ".crc"})
_MACHINE = frozenset({".skops", ".safetensors", ".npz", ".npy", ".pt", ".keras", ".zst"})
_SCANNED = frozenset({"CT", "MR", "PT", "NM"})  # modalities whose pictures a scanner computes: no text as a rule
_CAPTURED = frozenset({"secondary", "screen", "rendered", "dose"})  # in ImageType


@dataclass(frozen=True)
class Report:
    """What a verification found.

    Parameters
    ----------
    files, sources : int
        Files that were looked at, and source files whose identifiers were looked for.
    pictures : int
        Files whose pixels were read as text.
    leaks : tuple of (str, Leak)
        Name of a file relative to the folder, and what it gives away.
    quarantine : Path or None
        Where the files were moved; None where nothing was.
    """

    files: int
    sources: int
    pictures: int
    leaks: tuple[tuple[str, Leak], ...]
    quarantine: Path | None = None

    def counts(self) -> Counter[str]:
        """Files by kind of what was found."""
        return Counter(kind for _, kind in {(name, leak.kind) for name, leak in self.leaks})


def verify(
    dest: Path, against: Path | None = None, *, read_pixels: Pixels = "auto", quarantine: Path | None = None,
    set_aside: bool = True,
) -> Report:  # fmt: skip
    """Look at every file of a cleaned folder for what could still tell whose it is.

    Parameters
    ----------
    dest : Path
        A folder of cleaned files, or a lake's release.
    against : Path, optional
        The folder of the sources: their names, ids, days, places and UIDs are looked for in all spellings.
    read_pixels : {"auto", "all", "off"}
        Which pictures are read as text: all but those that a scanner computes, all, or none. "auto" reads none where
        the extra `ocr` is absent.
    quarantine : Path, optional
        Where files with findings go; DEST.quarantine by default.
    set_aside : bool
        False: leave everything where it is, and write nothing.

    Raises
    ------
    UsageError
        When there is no such folder, the sources are the same folder, or pixels should be read and cannot.
    """
    if not dest.is_dir():
        raise UsageError("there is no such folder to verify")
    if against is not None and (not against.is_dir() or against.resolve() == dest.resolve()):
        raise UsageError("--against names the folder of the sources, another one than the cleaned one")
    if read_pixels == "all" and not pixels.is_there():
        raise UsageError("reading pixels needs an extra: pip install 'radlake[ocr]', or --pixels off")
    with silent_pydicom():  # its warnings quote values
        sources = collect(against) if against is not None else Sources()
        looked = _Look(dest, sources, "off" if read_pixels == "auto" and not pixels.is_there() else read_pixels)
        found = [(path, leak) for path in looked.files() for leak in looked.at(path)]
        found += looked.faces()
    names = tuple((path.relative_to(dest).as_posix(), leak) for path, leak in found)
    place = None
    if set_aside:
        place = (quarantine or dest.with_name(f"{dest.name}.quarantine")) if found else None
        _settle(dest, found, place)
    return Report(looked.count, sources.files, looked.pictures, names, place)


@dataclass
class _Look:
    """One verification: where, for what, and how much was seen."""

    dest: Path
    sources: Sources
    pixels: Pixels
    count: int = 0
    pictures: int = 0
    heads: defaultdict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))

    def files(self) -> Iterator[Path]:
        """All files; the account that the cleaner wrote among them, but not what this verifier did."""
        for path in sorted(self.dest.rglob("*")):
            if path.is_file() and path != self.dest / ledger.FOLDER / FINDINGS_FILE:
                yield path

    def at(self, path: Path) -> Iterator[Leak]:
        """What one file gives away, its name included."""
        self.count += 1
        relative = path.relative_to(self.dest)
        yield from in_text(" ".join(relative.parts), "file name", self.sources.needles, shaped=False)
        yield from self._content(path, relative)

    def _content(self, path: Path, relative: Path) -> Iterator[Leak]:
        """By the kind of file."""
        suffix, needles = path.suffix.lower(), self.sources.needles
        if suffix == ".parquet":
            yield from tables.parquet(path, needles)
        elif suffix in _TEXTS or path.name == "_last_checkpoint":
            yield from tables.plain(path, needles)
        elif suffix in _MACHINE:
            with path.open("rb") as stream:
                yield from in_stream(stream, needles)
        elif suffix == ".nii" or path.name.lower().endswith(".nii.gz"):
            yield from pictures.nifti(path, needles)
            yield from self._pixels(path, computed=True)
        elif suffix in _PICTURES:
            yield from pictures.picture(path, needles)
            yield from self._pixels(path, computed="objects" in relative.parts)  # a lake's previews and masks
        elif (file := opened(path)) is not None:
            yield from dicom.leaks(path, self.sources)
            yield from self._pixels(path, computed=_is_computed(file))
            if (series := faces.claims(file)) is not None:
                self.heads[series].append(path)
        else:
            yield Leak("unknown format", "whole file")

    def faces(self) -> Iterator[tuple[Path, Leak]]:
        """Slices of series that say that no face is left in them, and show one or cannot be looked at."""
        for paths in self.heads.values():
            try:
                leak = Leak("face", "pixels") if faces.shows_face(paths) else None
            except ItemError:
                leak = Leak("unreadable", "pixels")
            if leak is not None:
                yield from ((path, leak) for path in paths)

    def _pixels(self, path: Path, *, computed: bool) -> Iterator[Leak]:
        """Text in pixels, where it is looked for."""
        if self.pixels == "all" or (self.pixels == "auto" and not computed):
            self.pictures += 1
            yield from pixels.leaks(path, self.sources.needles)


def _is_computed(file: Opened) -> bool:
    """Whether an object's pixels are measured by a scanner, and no capture of a screen."""
    value = {name: " ".join(texts(file.dataset, name)) for name in ("Modality", "ImageType", "BitsStored")}
    captured = not _CAPTURED.isdisjoint(words(value["ImageType"]))
    scanned = value["Modality"].strip() in _SCANNED and not captured and value["BitsStored"] != "8"
    return file.pixels is None or scanned


def _settle(dest: Path, found: Sequence[tuple[Path, Leak]], quarantine: Path | None) -> None:
    """Move files with findings out of the folder, and write down why; tables and accounts stay, but are told."""
    moved = set()
    for path in sorted({path for path, _ in found}):
        relative = path.relative_to(dest)
        if quarantine is not None and relative.parts[0] not in {ledger.FOLDER, "tables"}:
            target = quarantine / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
            moved.add(path)
    telling = sorted({path for path, leak in found if leak.place == "file name"})
    names = {path: path.relative_to(dest).as_posix() for path, _ in found}
    names |= {path: f"file {number} with a telling name" for number, path in enumerate(telling, 1)}
    _write_findings(
        dest / ledger.FOLDER / FINDINGS_FILE,
        [{"object": names[p], "kind": leak.kind, "place": leak.place, "set_aside": p in moved} for p, leak in found],
    )
    if ledger.is_cleaned(dest):
        _note(dest, Counter(path.relative_to(dest).as_posix() for path, _ in found if path in moved))


def _write_findings(target: Path, rows: list[Row]) -> None:
    """Findings of this time, and of earlier times those that had a file moved."""
    earlier = pq.read_table(target, schema=FINDINGS).to_pylist() if target.exists() else []
    distinct = {tuple(row.values()): row for row in [row for row in earlier if row["set_aside"]] + rows}
    with temporary_file(target.parent) as temporary:
        pq.write_table(pa.Table.from_pylist([distinct[key] for key in sorted(distinct)], schema=FINDINGS), temporary)
        publish(temporary, target)


def _note(dest: Path, moved: Counter[str]) -> None:
    """Say in the account of the cleaning which files were moved out."""
    rows = ledger.read_table(dest, "files").to_pylist()
    for row in rows:
        if count := moved.get(row["name"] or ""):
            fault = ItemError("leak_found", found=count).fault("verify")
            row |= {"status": "quarantined", "name": None, "fault_code": fault.code}
            row |= {"fault_message": fault.message, "fault_hint": fault.hint}
    if moved:
        ledger.write_table(dest, "files", pa.Table.from_pylist(rows, schema=ledger.FILES).to_batches())
