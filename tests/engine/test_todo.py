"""What is still to be done: new, changed and referred-to things, and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radlake.core.stage import Row
from radlake.engine import todo
from radlake.engine.chain import Chain, Piece, Step
from radlake.engine.inputs import Found
from radlake.lake.parts import write_part
from radlake.lake.store import Change, Lake

FILES = Chain("files", (Step("scan"),))
SERIES = Chain("series", (Step("series"),))
IMAGES = Chain("images", (Step("load"),))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.create(tmp_path / "lake", key_fingerprint="1f2e")


def put(lake: Lake, **tables: list[Row]) -> None:
    """Commit rows."""
    number = lake.next_sequence("test")
    parts = {t: write_part(lake.root, lake.private, t, rows, name=f"t{number}") for t, rows in tables.items()}
    lake.commit("test", number, [Change(t, (p,)) for t, p in parts.items()])


def instance(file: str, series: str, *, member: int = 0, role: str = "image", refers: str | None = None) -> Row:
    return {
        "owner": file,
        "file_id": file,
        "member": member,
        "role": role,
        "series_id": series,
        "referenced_series_id": refers,
    }


def source(file: str, input_key: str = "1:1", members: list[str] | None = None) -> Row:
    return {"owner": file, "file_id": file, "uri": f"/in/{file}", "input_key": input_key, "members": members}


def work(chain: Chain, unit: str, piece: Piece) -> Row:
    return {"owner": piece.id, "unit": unit, "chain_key": chain.key, "input_key": piece.input_key}


def image(name: str, series: str, slices: int = 1) -> Row:
    return {"owner": series, "image_id": name, "series_id": series, "rows": 4, "columns": 5, "slices": slices}


def use(file: str, name: str, ordinal: int = 0, **more: Any) -> Row:
    return {"owner": "se", "file_id": file, "member": 0, "image_id": name, "ordinal": ordinal, **more}


def pieces(found: todo.Todo) -> list[Piece]:
    listed = [load.piece for load in found.loads]
    assert len(listed) == found.total
    return listed


def test_a_file_is_read_again_when_its_size_time_or_chain_changes(lake: Lake) -> None:
    found = [("fi-a", Found("/in/a", 1, 10)), ("fi-b", Found("/in/b", 1, 10))]
    done = pieces(todo.files(lake, FILES, found))
    assert [(p.id, p.row["uri"]) for p in done] == [("fi-a", "/in/a"), ("fi-b", "/in/b")]
    put(lake, work=[work(FILES, "file", p) for p in done])
    assert pieces(todo.files(lake, FILES, found)) == []
    touched = [found[0], ("fi-b", Found("/in/b", 1, 11))]
    assert [p.id for p in pieces(todo.files(lake, FILES, touched))] == ["fi-b"]
    other = Chain("files", (Step("scan"), Step("deid")))
    assert len(pieces(todo.files(lake, other, found))) == 2


def test_files_beyond_some_wait_on_the_disk_in_their_order(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(f"fi-{n}", Found(f"/in/大 {n}", n, 10)) for n in range(9)]
    in_memory = pieces(todo.files(lake, FILES, found))
    monkeypatch.setattr(todo, "_AHEAD", 4)
    assert pieces(todo.files(lake, FILES, found)) == in_memory


def test_a_series_is_built_again_when_a_file_joins_or_changes(lake: Lake) -> None:
    rows = [instance("fi-b", "se-1"), instance("fi-a", "se-1"), instance("fi-c", "se-2", role="segmentation")]
    put(lake, instances=rows, sources=[source(f) for f in ("fi-a", "fi-b", "fi-c")])
    (one,) = pieces(todo.series(lake, SERIES))
    assert one.id == "se-1"
    assert [m["file_id"] for m in one.members] == ["fi-a", "fi-b"]
    put(lake, work=[work(SERIES, "series", one)])
    assert pieces(todo.series(lake, SERIES)) == []
    put(lake, instances=[instance("fi-d", "se-1")], sources=[source("fi-d")])
    (again,) = pieces(todo.series(lake, SERIES))
    assert again.input_key != one.input_key
    assert len(again.members) == 3


def test_members_of_an_image_come_in_order_with_their_places_and_frames(lake: Lake) -> None:
    put(
        lake,
        instances=[instance("fi-a", "se-1"), instance("fi-z", "se-1")],
        sources=[source("fi-a"), source("fi-z", members=["inner.dcm"])],
        images=[image("im-1", "se-1", 2)],
        file_images=[use("fi-z", "im-1", 0, frames=[3, 1]), use("fi-a", "im-1", 1)],
        work=[{"owner": "se-1", "unit": "series", "chain_key": SERIES.key, "input_key": "k"}],
    )
    (one,) = pieces(todo.images(lake, IMAGES))
    assert one.row["image_id"] == "im-1"
    assert [(m["uri"], m["member_name"], m["frames"]) for m in one.members] == [
        ("/in/fi-z", "inner.dcm", [3, 1]),
        ("/in/fi-a", None, None),
    ]
    put(lake, work=[work(IMAGES, "image", one)])
    assert pieces(todo.images(lake, IMAGES)) == []


def test_an_image_of_many_small_files_is_much_work(lake: Lake) -> None:
    names = [f"fi-{n:02}" for n in range(20)]
    put(
        lake,
        instances=[instance(n, "se-1") for n in names],
        sources=[source(n) for n in names],
        images=[image("im-1", "se-1", 20) | {"estimated_bytes": 1000}],
        file_images=[use(n, "im-1", k) for k, n in enumerate(names)],
        work=[{"owner": "se-1", "unit": "series", "chain_key": SERIES.key, "input_key": "k"}],
    )
    (load,) = todo.images(lake, IMAGES).loads
    assert load.work == 1000 + 20 * 65536


def test_a_mask_goes_to_the_largest_image_of_its_series_and_makes_it_new(lake: Lake) -> None:
    put(
        lake,
        instances=[instance("fi-a", "se-1"), instance("fi-b", "se-1")],
        sources=[source("fi-a"), source("fi-b"), source("fi-m")],
        images=[image("im-large", "se-1", 9), image("im-small", "se-1", 2)],
        file_images=[use("fi-a", "im-large"), use("fi-b", "im-small")],
        work=[{"owner": "se-1", "unit": "series", "chain_key": SERIES.key, "input_key": "k"}],
    )
    before = pieces(todo.images(lake, IMAGES))
    put(lake, work=[work(IMAGES, "image", p) for p in before])
    put(lake, instances=[instance("fi-m", "se-9", role="segmentation", refers="se-1")])
    (changed,) = pieces(todo.images(lake, IMAGES))
    assert changed.id == "im-large"
    assert [m["uri"] for m in changed.masks] == ["/in/fi-m"]


@pytest.mark.parametrize(("there", "missing"), [("im-1", "im-2"), ("im-2", "im-1")])
def test_an_image_without_members_is_a_bug_and_said_so(lake: Lake, there: str, missing: str) -> None:
    series = {"owner": "se-1", "unit": "series", "chain_key": SERIES.key, "input_key": "k"}
    put(
        lake,
        instances=[instance("fi-a", "se-1"), instance("fi-b", "se-1")],
        sources=[source("fi-a"), source("fi-b")],
        images=[image("im-1", "se-1"), image("im-2", "se-1")],
        file_images=[use("fi-b", there)],
        work=[series],
    )
    with pytest.raises(RuntimeError, match=f"{missing} has no members"):
        pieces(todo.images(lake, IMAGES))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(0, 30), min_size=1), st.data())
def test_what_is_done_and_what_is_to_do_make_up_all_files(
    tmp_path_factory: pytest.TempPathFactory, numbers: set[int], data: st.DataObject
) -> None:
    lake = Lake.create(tmp_path_factory.mktemp("lake") / "lake", key_fingerprint="1f2e")
    found = [(f"fi-{n}", Found(f"/in/{n}", n, n)) for n in sorted(numbers)]
    done = data.draw(st.sets(st.sampled_from([i for i, _ in found])))
    if done:
        rows = [work(FILES, "file", Piece(i, f.input_key, {})) for i, f in found if i in done]
        put(lake, work=rows)
    assert {p.id for p in pieces(todo.files(lake, FILES, found))} == {i for i, _ in found} - done
