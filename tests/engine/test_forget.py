from __future__ import annotations

import json
from pathlib import Path

import pytest

from radlake.core.errors import UsageError
from radlake.deid.keys import fingerprint
from radlake.deid.pseudonyms import patient
from radlake.engine.forget import ERASED, forget
from radlake.lake import erase as erasing
from radlake.lake.errors import KeyMismatchError
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake

KEY = b"k" * 32
GONE, STAYS = patient(KEY, "4711") or "", patient(KEY, "4712") or ""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two patients: a file each, and an archive with an image of both; a model that learned from the first."""
    lake = Lake.create(tmp_path / "lake", key_fingerprint=fingerprint(KEY))
    instances = [
        {
            "owner": f,
            "file_id": f,
            "instance_id": f"in-{n}",
            "series_id": f"se-{n}",
            "study_id": f"st-{n}",
            "patient_id": p,
        }
        for n, (f, p) in enumerate([("fi-a", GONE), ("fi-b", STAYS), ("fi-zip", GONE), ("fi-zip", STAYS)])
    ]
    images = [
        {"owner": f"se-{n}", "image_id": f"im-{n}", "series_id": f"se-{n}", "patient_id": p}
        for n, p in enumerate([GONE, STAYS, GONE, STAYS])
    ]
    previews = [
        {"owner": f"im-{n}", "image_id": f"im-{n}", "object": lake.objects.put(f"picture {n}".encode(), ".png")}
        for n in range(4)
    ]
    rows = {
        "instances": instances,
        "images": images,
        "previews": previews,
        "files": [{"file_id": f} for f in ("fi-a", "fi-b", "fi-zip")],
        "sources": [{"owner": f, "file_id": f, "uri": f"/in/{f}"} for f in ("fi-a", "fi-b", "fi-zip")],
        "features": [{"owner": f"im-{n}", "image_id": f"im-{n}", "name": "Volume"} for n in range(4)],
        "clinical": [{"owner": "t", "patient_id": p, "name": "psa"} for p in (GONE, STAYS)],
        "predictions": [
            {"owner": "mo-a", "model_id": "mo-a", "patient_id": GONE},
            {"owner": "mo-b", "model_id": "mo-b", "patient_id": STAYS},
        ],
    }
    parts = [Change(t, (write_part(lake.root, lake.private, t, r, name="a"),)) for t, r in rows.items()]  # type: ignore[arg-type]
    lake.commit("run1", 0, parts)
    for model in ("mo-a", "mo-b"):
        (tmp_path / "lake" / "models" / model).mkdir(parents=True)
    (tmp_path / "lake" / "report").mkdir()
    (tmp_path / "lake" / "report" / "index.html").write_text("a picture")
    return lake


def everything(lake: Lake) -> bytes:
    """All bytes of the lake but its private journal of locks."""
    return b"".join(p.read_bytes() for p in Path(str(lake.root)).rglob("*") if p.is_file())


def test_every_trace_of_a_person_goes_and_everybody_else_stays(lake: Lake) -> None:
    found = forget(lake, GONE)
    assert found.rows["instances"] == found.rows["images"] == found.rows["features"] == 2
    assert found.rows["files"] == found.rows["sources"] == 1
    assert found.sources == ("/in/fi-a",)
    assert {r["file_id"] for r in lake.read("files").to_pylist()} == {"fi-b", "fi-zip"}
    assert [r["patient_id"] for r in lake.read("clinical").to_pylist()] == [STAYS]
    assert lake.read("features").num_rows == 2
    left = everything(lake)
    assert GONE.encode() not in left
    assert b"/in/fi-a" not in left
    assert b"picture 0" not in left and b"picture 2" not in left and b"a picture" not in left
    assert b"picture 1" in left and b"picture 3" in left
    assert lake.sql("SELECT count(*) AS n FROM instances")["n"].to_pylist() == [2]


def test_models_that_learned_from_the_person_are_flagged(lake: Lake) -> None:
    assert forget(lake, GONE).models == ("mo-a",)
    assert "train it anew" in json.loads((lake.models / "mo-a" / ERASED).read_bytes())["reason"]
    assert not (lake.models / "mo-b" / ERASED).exists()


def test_done_again_nothing_changes(lake: Lake) -> None:
    forget(lake, GONE)
    before = everything(lake)
    again = forget(lake, GONE)
    assert (again.rows, again.models, again.sources) == ({}, (), ())
    assert lake.read("instances").num_rows == 2
    assert GONE.encode() not in before + everything(lake)


@pytest.mark.parametrize("stop_at", ["features", "images", "instances"])
def test_killed_on_the_way_it_ends_the_same_the_next_time(
    stop_at: str, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = erasing._erase_rows

    def killed(of: Lake, table: str, *rest: object) -> int:
        if table == stop_at:
            raise KeyboardInterrupt
        return real(of, table, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(erasing, "_erase_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        forget(lake, GONE)
    monkeypatch.setattr(erasing, "_erase_rows", real)
    forget(lake, GONE)
    assert GONE.encode() not in everything(lake)
    assert lake.read("features").num_rows == lake.read("instances").num_rows == 2


def test_a_patient_id_needs_the_right_key_and_no_placeholder(lake: Lake) -> None:
    with pytest.raises(UsageError, match="needs the key"):
        forget(lake, "4711")
    with pytest.raises(KeyMismatchError):
        forget(lake, "4711", key=b"x" * 32)
    with pytest.raises(UsageError, match="placeholder"):
        forget(lake, "ANONYMOUS", key=KEY)
    assert forget(lake, "4711", key=KEY).rows["instances"] == 2
