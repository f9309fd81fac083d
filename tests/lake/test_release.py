from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from radlake.lake import delta
from radlake.lake.errors import ReleaseError
from radlake.lake.release import Released, release
from radlake.lake.store import Lake

Put = Callable[..., None]
SECRET = "Zoë-Müller-4711"


@pytest.fixture
def filled(lake: Lake, put: Put) -> Lake:
    """A lake with rows that were replaced, an object without a row, private paths, a model, a report and a link."""
    picture = lake.objects.put(b"picture", ".png")
    lake.objects.put(b"object without a row", ".png")
    put({"quality": [{"owner": "im-a", "message": "replaced"}]})
    put({"quality": [{"owner": "im-a", "message": "current"}, {"owner": "im-b"}]}, replaces=["im-a"])
    put(
        {
            "previews": [{"owner": "im-a", "object": picture}],
            "work": [{"owner": "fi-a", "input_key": "guessable", "chain_key": "c"}],
            "sources": [{"owner": "fi-a", "uri": f"/scans/{SECRET}.dcm"}],
        }
    )
    (lake.models / "mo-a").mkdir(parents=True)
    (lake.models / "mo-a" / "model.skops").write_bytes(b"weights")
    (lake.models / "mo-a" / "evidence.json").write_text('{"holds_rows": false}')
    lake.report.mkdir()
    (lake.report / "index.html").write_text("<html>")
    (lake.report / "link").symlink_to(lake.private)
    (lake.root / "notes.txt").write_text(SECRET)
    return lake


def all_bytes(folder: Path) -> bytes:
    return b"".join(str(p).encode() + p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_the_copy_is_a_lake_with_the_same_rows(filled: Lake, tmp_path: Path) -> None:
    dest = tmp_path / "out" / "copy"
    assert release(filled, dest) == Released(tables=3, rows=4, objects=1)
    copy = Lake.open(dest)
    for table in ("quality", "previews"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert copy.sql(query).equals(filled.sql(query))
    reference = copy.read("previews")["object"][0].as_py()
    assert copy.objects.get(reference) == b"picture"
    assert (dest / "models" / "mo-a" / "model.skops").read_bytes() == b"weights"
    assert (dest / "report" / "index.html").read_text() == "<html>"


def test_nothing_private_replaced_or_of_this_machine_goes_along(filled: Lake, tmp_path: Path) -> None:
    dest = tmp_path / "copy"
    release(filled, dest)
    content = all_bytes(dest).replace(str(dest).encode(), b"")
    for hidden in (SECRET, "replaced", "guessable", "object without a row", "notes.txt", tmp_path.name):
        assert hidden.encode() not in content, hidden
    assert sorted(p.name for p in dest.iterdir()) == ["lake.json", "models", "objects", "report", "tables"]
    found = delta.open_table(dest / "tables" / "quality")
    assert found is not None
    assert found.version() == 1


def test_an_empty_folder_may_be_filled_but_no_other(filled: Lake, tmp_path: Path) -> None:
    dest = tmp_path / "empty"
    dest.mkdir()
    release(filled, dest)
    with pytest.raises(ReleaseError, match="in use"):
        release(filled, dest)
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="in use"):
        release(filled, tmp_path / "file")


@pytest.mark.parametrize("place", ["", "new", "private/new"])
def test_the_copy_does_not_go_into_the_lake(filled: Lake, place: str) -> None:
    with pytest.raises(ReleaseError):
        release(filled, filled.root / place)


def test_a_lake_with_identities_stays(tmp_path: Path) -> None:
    lake = Lake.create(tmp_path / "raw", key_fingerprint="x", deidentified=False)
    with pytest.raises(ReleaseError, match="identities"):
        release(lake, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_lost_object_is_an_error_and_leaves_nothing_behind(filled: Lake, tmp_path: Path) -> None:
    filled.objects.path(filled.read("previews")["object"][0].as_py()).unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ReleaseError, match="lost"):
        release(filled, tmp_path / "copy")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("evidence", ['{"holds_rows": true}', "{}", "[]", "no JSON", None])
def test_models_with_rows_of_training_cases_go_only_where_that_was_allowed(
    filled: Lake, tmp_path: Path, evidence: str | None
) -> None:
    (filled.models / "mo-rows").mkdir()
    if evidence is not None:
        (filled.models / "mo-rows" / "evidence.json").write_text(evidence)
    with pytest.raises(ReleaseError, match=r"1 models hold rows of training cases \(mo-rows\).*--allow-rows"):
        release(filled, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    release(filled, tmp_path / "copy", allow_rows=True)
    assert (tmp_path / "copy" / "models" / "mo-rows").exists() == (evidence is not None)
