from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import dcmread

from radlake.core.errors import UsageError
from radlake.deid import ledger
from radlake.deid.files import Settings
from radlake.deid.keys import fingerprint
from radlake.deid.verify import verify
from radlake.engine import deidentify as engine
from radlake.engine.deidentify import Options, deidentify
from radlake.engine.local import Local
from radlake.lake.errors import KeyMismatchError, PrivatePartError
from tests.deid.heads import head, write_slices

KEY = b"k" * 32
STRICT = Settings(KEY, pixels="off")
FILES = Path(pydicom.__file__).parent / "data" / "test_files"
HERE = Options(Local(workers=0), strict=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A messy export: three objects, one twice, one damaged, one directory, one text, in a folder with a name."""
    folder = tmp_path / "scans 病人" / "Doe^John"
    folder.mkdir(parents=True)
    for name in ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "MR_truncated.dcm"):
        shutil.copyfile(FILES / name, folder / name)
    shutil.copyfile(FILES / "CT_small.dcm", folder / "again")
    shutil.copyfile(FILES / "dicomdirtests" / "DICOMDIR", folder / "DICOMDIR")
    (folder / "notes.txt").write_text("Doe^John was here")
    return folder.parent


def account(dest: Path) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = ledger.read_table(dest, "files").to_pylist()
    return rows


def tree(dest: Path) -> dict[str, bytes]:
    return {str(p.relative_to(dest)): p.read_bytes() for p in sorted(dest.rglob("*")) if p.is_file()}


def test_every_input_ends_as_one_row(source: Path, tmp_path: Path) -> None:
    summary = deidentify(source, tmp_path / "out", STRICT, HERE)
    rows = account(tmp_path / "out")
    assert (len(rows), summary.worked) == (7, 7)
    assert summary.files == {"done": 4, "ignored": 2, "quarantined": 1}
    assert {r["fault_code"] for r in rows} == {None, "truncated_pixels", "directory_record", "side_file"}
    assert len({r["name"] for r in rows if r["status"] == "done"}) == 4
    for row in rows:
        assert (row["status"] == "done") == (row["name"] is not None) == (row["fault_code"] is None)
    written = {n for n in tree(tmp_path / "out") if not n.startswith(ledger.FOLDER)}
    assert written == {r["name"] for r in rows if r["name"]}
    audit = ledger.read_table(tmp_path / "out", "audit").to_pylist()
    assert {r["file_id"] for r in audit} == {r["file_id"] for r in rows if r["status"] == "done"}
    assert audit == sorted(audit, key=lambda r: (r["file_id"], r["path"], r["action"], r["count"]))


def test_nothing_of_a_path_or_value_is_in_the_destination(source: Path, tmp_path: Path) -> None:
    deidentify(source, tmp_path / "out", STRICT, HERE)
    words = [b"Doe", b"scans", "病人".encode(), b"CT_small", b"1CT1", b"CompressedSamples", KEY, KEY.hex().encode()]
    for name, data in tree(tmp_path / "out").items():
        for word in words:
            assert word not in data and word.decode("latin-1") not in name
    sources = ledger.read_table(ledger.default_private(tmp_path / "out"), "sources")
    assert {Path(u).name for u in sources["uri"].to_pylist()} >= {"CT_small.dcm", "notes.txt"}
    assert ledger.default_private(tmp_path / "out").stat().st_mode & 0o077 == 0


def test_workers_do_not_change_the_result(source: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 0), ("two", 2)):
        deidentify(source, tmp_path / name, STRICT, Options(Local(workers=workers), strict=True))
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    run = f"{ledger.FOLDER}/run.json"
    assert {k: v for k, v in one.items() if k != run} == {k: v for k, v in two.items() if k != run}
    assert ledger.read_run(tmp_path / "one").settings == ledger.read_run(tmp_path / "two").settings


def test_an_unchanged_folder_is_left_alone_and_only_what_changed_is_done(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    deidentify(source, out, STRICT, HERE)
    before = tree(out)
    assert deidentify(source, out, STRICT, HERE).worked == 0
    assert tree(out) == before
    changed = dcmread(source / "Doe^John" / "again")
    changed.SOPInstanceUID = "1.2.3.4"
    changed.save_as(source / "Doe^John" / "again")
    assert deidentify(source, out, STRICT, HERE).worked == 1
    assert len(account(out)) == 7
    gone, new = set(before) - set(tree(out)), set(tree(out)) - set(before)
    assert (len(gone), len(new)) == (1, 1)


def test_another_cleaner_does_everything_again(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dest = tmp_path / "out"
    deidentify(source, dest, STRICT, HERE)
    files, before = tree(dest), ledger.read_run(dest).versions
    monkeypatch.setattr(engine, "VERSION", engine.VERSION + 1)
    assert deidentify(source, dest, STRICT, HERE).worked == 7
    assert {n: d for n, d in tree(dest).items() if n.endswith(".dcm")} == {
        n: d for n, d in files.items() if n.endswith(".dcm")
    }
    assert ledger.read_run(dest).versions == before | {"cleaner": str(engine.VERSION)}
    assert deidentify(source, dest, STRICT, HERE).worked == 0


def test_a_file_that_became_bad_leaves_no_old_copy(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    deidentify(source, out, STRICT, HERE)
    (source / "Doe^John" / "again").write_bytes(b"DICM no more")
    deidentify(source, out, STRICT, HERE)
    assert sum(n.endswith(".dcm") for n in tree(out)) == 3


def test_a_killed_run_goes_on_where_it_was(source: Path, tmp_path: Path) -> None:
    for number in range(150):
        shutil.copyfile(FILES / "CT_small.dcm", source / f"{number}.dcm")
    code = (
        "import sys; from pathlib import Path; from radlake.deid.files import Settings;"
        "from radlake.engine.deidentify import *; from radlake.engine.local import Local;"
        "deidentify(sys.argv[1], sys.argv[2], Settings(b'k' * 32, pixels='off'), Options(Local(workers=1)))"
    )
    work = ledger.default_private(tmp_path / "out") / "work"
    process = subprocess.Popen([sys.executable, "-c", code, str(source), str(tmp_path / "out")])
    while process.poll() is None and not list(work.glob("*.parquet")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = len(list(work.glob("*.parquet")))
    (tmp_path / "out" / ".tmp-half").write_bytes(b"half")
    summary = deidentify(source, tmp_path / "out", STRICT, HERE)
    assert kept and 0 < summary.worked < 157
    assert sum(summary.files.values()) == 157
    deidentify(source, tmp_path / "whole", STRICT, HERE)
    run = f"{ledger.FOLDER}/run.json"
    killed, whole = tree(tmp_path / "out"), tree(tmp_path / "whole")
    assert {k: v for k, v in killed.items() if k != run} == {k: v for k, v in whole.items() if k != run}


def test_what_the_machine_did_is_tried_again(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(engine, "clean", greedy)
        assert deidentify(source, tmp_path / "out", STRICT, HERE).files == {"quarantined": 7}
    assert deidentify(source, tmp_path / "out", STRICT, HERE).files["done"] == 4


def test_the_unforeseen_costs_one_file_and_tells_nothing_of_it(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Doe^John")

    monkeypatch.setattr(engine, "clean", broken)
    deidentify(source, tmp_path / "out", STRICT, Options(Local(workers=0)))
    assert {r["fault_code"] for r in account(tmp_path / "out")} == {"unexpected"}
    assert "Doe" not in str(account(tmp_path / "out"))
    with pytest.raises(ValueError, match="Doe"):
        deidentify(source, tmp_path / "strict", STRICT, HERE)


def test_places_that_do_not_fit_are_refused_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "a").write_text("a")
    for dest, words in ((source / "out", "inside"), (tmp_path, "inside"), (used, "in use"), (used / "a", "in use")):
        with pytest.raises(UsageError, match=words):
            deidentify(source, dest, STRICT, HERE)
    inside = Options(Local(workers=0), private=tmp_path / "out" / "private")
    with pytest.raises(UsageError, match="private"):
        deidentify(source, tmp_path / "out", STRICT, inside)
    assert not (tmp_path / "out").exists()


def test_folders_cleaned_in_different_ways_do_not_mix(source: Path, tmp_path: Path) -> None:
    deidentify(source, tmp_path / "out", STRICT, HERE)
    with pytest.raises(UsageError, match="profile"):
        deidentify(source, tmp_path / "out", Settings(KEY, "research", pixels="off"), HERE)
    with pytest.raises(KeyMismatchError):
        deidentify(source, tmp_path / "out", Settings(b"j" * 32, pixels="off"), HERE)
    shared = Options(Local(workers=0), private=ledger.default_private(tmp_path / "out"))
    with pytest.raises(UsageError, match="another cleaned folder"):
        deidentify(source, tmp_path / "other", STRICT, shared)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o755)
    with pytest.raises(PrivatePartError):
        deidentify(source, tmp_path / "other", STRICT, Options(Local(workers=0), private=open_to_all))


def test_the_files_behind_a_lake_are_cleaned_with_its_key(source: Path, tmp_path: Path) -> None:
    from radlake import Pipeline, run, step
    from radlake.deid.keys import load_key

    key = load_key(tmp_path / "key", create=True)
    run(Pipeline("headers", [step("deid")]), source, tmp_path / "lake", key_file=tmp_path / "key", engine=Local(0))
    summary = deidentify(tmp_path / "lake", tmp_path / "out", Settings(key, pixels="off"), HERE)
    assert summary.files["done"] == 4
    patients = {n.split("/")[0] for n in tree(tmp_path / "out") if n.endswith(".dcm")}
    from radlake.lake.store import Lake

    lake = Lake.open(tmp_path / "lake")
    assert lake.facts.key_fingerprint == fingerprint(key)
    assert patients <= set(lake.read("series")["patient_id"].to_pylist()) | {"unknown"}
    with pytest.raises(KeyMismatchError):
        deidentify(tmp_path / "lake", tmp_path / "other", STRICT, HERE)


def test_names_that_are_no_valid_text_are_cleaned(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copyfile(FILES / "CT_small.dcm", os.fsencode(folder) + b"/\xfc.dcm")
    assert deidentify(folder, tmp_path / "out", Settings(KEY, names="keep", pixels="off"), HERE).files == {"done": 1}


def test_faces_go_from_whole_series_and_the_verifier_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(KEY, options=("clean-visual-features",), pixels="off")
    source, out = tmp_path / "in", tmp_path / "out"
    image = head((5.0, 2.0, 2.0), hu=True).image
    slices = write_slices(image, source / "病人 a")
    write_slices(image.with_array(image.array[:3]), source / "no top", series="1.2.3")
    shutil.copyfile(FILES / "CT_small.dcm", source / "other.dcm")
    deidentify(source, out, settings, HERE)
    rows = account(out)
    assert Counter((row["status"], row["faces"]) for row in rows) == {
        ("done", "removed"): len(slices), ("quarantined", None): 3, ("done", "none"): 1,
    }  # fmt: skip
    assert {row["fault_code"] for row in rows} == {None, "face_left"}
    assert not (ledger.default_private(out) / "series").exists()
    assert deidentify(source, out, settings, HERE).worked == 0
    assert not verify(out, source, read_pixels="off").leaks
    two = deidentify(source, tmp_path / "two", settings, Options(Local(workers=2)))
    assert two.files == {"done": len(slices) + 1, "quarantined": 3}
    assert {k: v for k, v in tree(tmp_path / "two").items() if k.endswith(".dcm")} == {
        k: v for k, v in tree(out).items() if k.endswith(".dcm")
    }
    slices[-1].unlink()  # another series now: all of it anew
    assert deidentify(source, out, settings, HERE).worked == len(slices) - 1
    monkeypatch.setattr("radlake.deid.series.face_of", lambda image: np.zeros(image.array.shape, bool))
    deidentify(source, tmp_path / "sabotaged", settings, HERE)
    report = verify(tmp_path / "sabotaged", source, read_pixels="off")
    assert report.counts() == {"face": len(slices) - 1}
