from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from radlake.core import schema as schemas
from radlake.lake import delta
from radlake.lake.delta import Edit
from radlake.lake.errors import FormatVersionError, StorageError
from radlake.lake.parts import Part, write_part


def write(root: Path, owner: str, table: str = "quality") -> Part:
    return write_part(root, root, table, [{"owner": owner, "value": 1.0}], name=owner)


def names(folder: Path) -> list[str]:
    return [f.path.name for f in delta.data_files(delta.open_table(folder), folder)]


def add(folder: Path, edit: Edit, sequence: int) -> None:
    delta.commit(delta.open_or_create(folder, "quality"), folder, edit, app="run", sequence=sequence)


def test_parts_come_and_files_go_in_one_version(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    first, second = write(tmp_path, "a"), write(tmp_path, "b")
    add(folder, Edit(added=(first,)), 0)
    found = delta.open_table(folder)
    assert found is not None
    add(folder, Edit(removed=delta.data_files(found, folder), added=(second,)), 1)
    assert names(folder) == [second.name]
    now = delta.open_table(folder)
    assert now is not None
    assert now.version() == found.version() + 1


def test_a_commit_is_recognised_by_its_number(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    add(folder, Edit(added=(write(tmp_path, "a"),)), 4)
    found = delta.open_table(folder)
    assert found is not None
    assert delta.committed(found, "run", 4)
    assert delta.committed(found, "run", 3)
    assert not delta.committed(found, "run", 5)
    assert not delta.committed(found, "other", 0)


def test_a_part_that_is_there_already_counts_once(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    part = write(tmp_path, "a")
    add(folder, Edit(added=(part,)), 0)
    add(folder, Edit(added=(part,)), 1)
    assert names(folder) == [part.name]


def test_a_part_that_goes_and_comes_in_one_edit_stays(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    part = write(tmp_path, "a")
    add(folder, Edit(added=(part,)), 0)
    add(folder, Edit(removed=delta.data_files(delta.open_table(folder), folder), added=(part,)), 1)
    assert names(folder) == [part.name]


def test_a_part_that_left_may_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    part = write(tmp_path, "a")
    add(folder, Edit(added=(part,)), 0)
    add(folder, Edit(removed=delta.data_files(delta.open_table(folder), folder)), 1)
    assert names(folder) == []
    add(folder, Edit(added=(part,)), 2)
    assert names(folder) == [part.name]
    delta.drop_replaced(folder, keep_hours=0)
    assert (folder / part.name).is_file()


def test_a_commit_that_another_writer_made_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    part = write(tmp_path, "a")
    one, other = (delta.open_or_create(folder, "quality") for _ in range(2))
    delta.commit(one, folder, Edit(added=(part,)), app="run", sequence=0)
    with pytest.raises(StorageError, match="nothing is lost"):
        delta.commit(other, folder, Edit(added=(write(tmp_path, "b"),)), app="run", sequence=0)
    assert names(folder) == [part.name]


def test_a_folder_without_a_table_is_none(tmp_path: Path) -> None:
    assert delta.open_table(tmp_path) is None
    (tmp_path / "_delta_log").mkdir()  # a creation that was killed
    assert delta.open_table(tmp_path) is None
    assert delta.data_files(None, tmp_path) == ()


def test_an_older_state_can_be_opened(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    add(folder, Edit(added=(write(tmp_path, "a"),)), 0)
    old = delta.open_table(folder, version=0)
    assert old is not None
    assert delta.data_files(old, folder) == ()
    assert delta.open_table(folder, version=-1) is None


def test_the_log_holds_no_path_of_this_machine(tmp_path: Path) -> None:
    folder = tmp_path / "tables" / "quality"
    for number in range(12):  # past a checkpoint
        add(folder, Edit(added=(write(tmp_path, f"a{number}"),)), number)
    for file in (folder / "_delta_log").iterdir():
        assert tmp_path.name.encode() not in file.read_bytes()


def test_a_table_gains_the_columns_that_newer_code_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tables" / "quality"
    add(folder, Edit(added=(write(tmp_path, "a"),)), 0)
    newer = schemas.QUALITY.append(pa.field("reviewed", pa.bool_()))
    monkeypatch.setitem(schemas.TABLES, "quality", newer)
    old = delta.open_table(folder)
    assert old is not None
    assert delta.missing_columns(old, "quality") == ["reviewed"]
    assert delta.is_mixed(old, "quality")
    add(folder, Edit(added=(write(tmp_path, "b"),)), 1)
    now = delta.open_table(folder)
    assert now is not None
    assert delta.missing_columns(now, "quality") == []
    assert delta.is_mixed(now, "quality")


def test_a_column_of_another_type_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tables" / "quality"
    add(folder, Edit(added=(write(tmp_path, "a"),)), 0)
    place = schemas.QUALITY.get_field_index("value")
    other = schemas.QUALITY.set(place, pa.field("value", pa.string()))
    monkeypatch.setitem(schemas.TABLES, "quality", other)
    with pytest.raises(FormatVersionError, match="value"):
        delta.open_or_create(folder, "quality")


def test_every_table_can_be_made_and_keeps_its_types(tmp_path: Path) -> None:
    for table in schemas.TABLES:
        found = delta.open_or_create(tmp_path / table, table)
        assert delta.missing_columns(found, table) == []


def test_the_protocol_is_the_plainest_so_that_any_reader_can_open_a_table(tmp_path: Path) -> None:
    delta.open_or_create(tmp_path, "quality")
    lines = [json.loads(line) for line in (tmp_path / "_delta_log" / f"{0:020d}.json").read_text().splitlines()]
    assert {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}} in lines
