from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from radlake.lake.delta import DataFile
from radlake.lake.journal import Change
from radlake.lake.parts import Part, write_part
from radlake.lake.rewrite import edit


def stored(root: Path, name: str, owners: list[str | None], table: str = "quality") -> tuple[Part, DataFile]:
    rows = [{"owner": o, "value": float(i)} for i, o in enumerate(owners)]
    part = write_part(root, root, table, rows, name=name)
    return part, DataFile(root / "tables" / table / part.name, part.bytes)


def owners_in(root: Path, part: Part) -> list[str | None]:
    found: list[str | None] = pq.read_table(root / "tables" / part.table / part.name)["owner"].to_pylist()
    return found


def test_only_files_with_replaced_owners_are_touched(tmp_path: Path) -> None:
    _, mixed = stored(tmp_path, "mixed", ["a", "b", None, "a"])
    _, whole = stored(tmp_path, "whole", ["a"])
    _, other = stored(tmp_path, "other", ["c"])
    new, _ = stored(tmp_path, "new", ["a"])
    found = edit(Change("quality", (new,), ("a", "z")), [mixed, whole, other], (tmp_path, tmp_path), name="kept")
    assert found.removed == (mixed, whole)
    assert found.added[0] == new
    assert [owners_in(tmp_path, p) for p in found.added[1:]] == [["b", None]]


def test_without_owners_to_replace_nothing_is_read(tmp_path: Path) -> None:
    new, _ = stored(tmp_path, "new", ["a"])
    absent = DataFile(tmp_path / "absent.parquet", 1)
    assert edit(Change("quality", (new,)), [absent], (tmp_path, tmp_path), name="kept").added == (new,)


def test_files_without_these_owners_stay(tmp_path: Path) -> None:
    _, file = stored(tmp_path, "x", ["a"])
    found = edit(Change("quality", (), ("b",)), [file], (tmp_path, tmp_path), name="kept")
    assert (found.removed, found.added) == ((), ())


def test_work_done_again_with_the_same_result_leaves_its_file_alone(tmp_path: Path) -> None:
    part, file = stored(tmp_path, "batch", ["a", "b"])
    found = edit(Change("quality", (part,), ("a",)), [file], (tmp_path, tmp_path), name="kept")
    assert (found.removed, found.added) == ((), (part,))


def test_a_table_without_owner_is_replaced_by_its_first_column(tmp_path: Path) -> None:
    part = write_part(tmp_path, tmp_path, "files", [{"file_id": "a"}, {"file_id": "b"}], name="x")
    file = DataFile(tmp_path / "tables" / "files" / part.name, part.bytes)
    found = edit(Change("files", (), ("a",)), [file], (tmp_path, tmp_path), name="kept")
    assert [p.rows for p in found.added] == [1]


def test_the_rest_is_the_same_when_it_is_made_again(tmp_path: Path) -> None:
    _, file = stored(tmp_path, "x", ["a", "b"])
    change = Change("quality", (), ("a",))
    first, second = (edit(change, [file], (tmp_path, tmp_path), name="kept") for _ in range(2))
    assert first == second
