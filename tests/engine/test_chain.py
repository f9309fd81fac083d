"""A chain in one worker: what each exception means, what is written, and when work counts as the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from radlake.core.fault import Fault, Ignored, ItemError, Term
from radlake.core.stage import Context, Item, Rows, Stage
from radlake.engine import registry
from radlake.engine.chain import Chain, Piece, Spec, Step, Work, lost_rows
from radlake.lake.objects import ObjectStore
from radlake.lake.parts import Part

SECRET = "Doe^Jane"
NO_MEMBERS = {"owner": "fi-1", "file_id": "fi-1", "format": None, "members": None}


def first(item: Item, *, number: int = 1) -> Rows:
    """A row, always."""
    return [("quality", {"owner": item.id, "check": "first", "value": float(number)})]


def second(item: Item) -> Rows:
    """What the item's row asks for."""
    match item.row.get("ask"):
        case "item error":
            raise ItemError("missing_slices", expected=3, found=2)
        case "ignored":
            raise Ignored("side_file")
        case "memory":
            raise MemoryError(SECRET)
        case "bug":
            raise KeyError(SECRET)
    return [("quality", {"owner": item.id, "check": "second"})]


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stage]:
    """Two stages in place of the registered ones."""
    found = {
        "first": Stage("first", 1, "each", "images", (), ("quality",), first),
        "second": Stage("second", 1, "each", "images", (), ("quality",), second),
        "scan": Stage("scan", 1, "each", "files", (), (), second),
    }
    monkeypatch.setattr(registry, "stages", lambda: found)
    return found


def spec(folder: Path, *, strict: bool = False, unit: Any = "images", number: int = 1, setting: str = "") -> Spec:
    steps = (Step("scan"),) if unit == "files" else (Step("first", {"number": number}), Step("second"))
    context = Context(b"k" * 32, ObjectStore(folder / "objects"), memory_bytes=512 << 20, strict=strict)
    return Spec(Chain(unit, steps, setting), context, str(folder), str(folder / "private"), "run 1")


def rows_of(part: Part, folder: Path) -> list[dict[str, Any]]:
    (path,) = folder.rglob(part.name)
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        ("item error", "missing_slices", "expected 3 slices, found 2"),
        ("ignored", "side_file", "accompanies other data"),
        ("memory", "out_of_memory", "needed more than the 512 MiB"),
        ("bug", "unexpected", "an unforeseen KeyError in stage second"),
    ],
)
def test_an_exception_becomes_the_fault_of_its_item(tmp_path: Path, ask: str, code: str, message: str) -> None:
    rows, fault = Work(spec(tmp_path)).do(Piece("im-1", "k", {"ask": ask}))
    assert fault is not None
    assert (fault.stage, fault.code, fault.ignored) == ("second", code, ask == "ignored")
    assert fault.message.startswith(message)
    assert SECRET not in str(fault)
    assert rows == [("quality", {"owner": "im-1", "check": "first", "value": 1.0})], "rows made before the fault stay"


def test_an_unforeseen_exception_is_raised_under_strict_and_a_foreseen_one_is_not(tmp_path: Path) -> None:
    work = Work(spec(tmp_path, strict=True))
    with pytest.raises(KeyError):
        work.do(Piece("im-1", "k", {"ask": "bug"}))
    _, fault = work.do(Piece("im-1", "k", {"ask": "memory"}))
    assert isinstance(fault, Fault)


def test_one_bad_item_leaves_the_others_of_its_batch_alone(tmp_path: Path) -> None:
    asked = ["", "bug", "ignored", "item error", ""]
    ticks: list[int] = []
    result = Work(spec(tmp_path))([Piece(f"im-{n}", "k", {"ask": a}) for n, a in enumerate(asked)], ticks.append)
    assert ticks == [0, 1, 2, 3, 4]
    assert (result.done, result.set_aside) == (3, 2), "what holds nothing to keep is not set aside"
    found = {p.table: rows_of(p, tmp_path) for p in result.parts}
    assert list(found) == ["faults", "quality", "work"]
    assert [r["owner"] for r in found["work"]] == ["im-0", "im-1", "im-2", "im-3", "im-4"]
    assert [(r["owner"], r["ignored"]) for r in found["faults"]] == [("im-1", False), ("im-2", True), ("im-3", False)]
    assert len(found["quality"]) == 5 + 2


def test_parts_are_named_by_the_work_and_its_input(tmp_path: Path) -> None:
    def names(folder: str, *, number: int = 1, key: str = "k") -> list[str]:
        pieces = [Piece("im-1", key, {}), Piece("im-2", "k", {})]
        result = Work(spec(tmp_path / folder, number=number))(pieces, lambda _: None)
        return [p.name for p in result.parts if p.table == "quality"]

    plain = names("a")
    assert names("b") == plain
    assert names("c", key="changed")[0].split("-")[0] != plain[0].split("-")[0]
    assert names("d", number=2)[0].split("-")[0] != plain[0].split("-")[0]


def test_the_key_of_a_chain_changes_with_all_that_changes_its_results(tmp_path: Path, stages: dict[str, Stage]) -> None:
    before = spec(tmp_path).chain.key
    assert spec(tmp_path).chain.key == before
    others = {
        spec(tmp_path, number=2).chain.key,
        spec(tmp_path, setting="/(P[0-9]+)/").chain.key,
        Chain("images", (Step("second"), Step("first", {"number": 1}))).key,
    }
    stages["second"] = Stage("second", 2, "each", "images", (), ("quality",), second)
    others.add(spec(tmp_path).chain.key)
    assert len(others | {before}) == 5


def test_a_setting_is_not_written_into_the_description(tmp_path: Path) -> None:
    assert "Smith" not in spec(tmp_path, setting="/Dr Smith/(P[0-9]+)/").chain.description


def test_a_file_that_nothing_could_read_still_has_its_source(tmp_path: Path) -> None:
    place = {"uri": "/in/a.dcm", "bytes": 4, "mtime_ns": 5, "input_key": "4:5", "ask": "item error"}
    rows, fault = Work(spec(tmp_path, unit="files")).do(Piece("fi-1", "4:5", place))
    assert fault is not None
    ((table, row),) = rows
    assert table == "sources"
    assert row == {**{n: place[n] for n in ("uri", "bytes", "mtime_ns", "input_key")}, **NO_MEMBERS}


@pytest.mark.parametrize(("unit", "file_id"), [("files", "x-1"), ("images", None)])
def test_an_item_that_no_worker_could_do_has_a_fault_and_is_done_with(
    tmp_path: Path, unit: Any, file_id: str | None
) -> None:
    place = {"uri": "/in/a.dcm", "bytes": 4, "mtime_ns": 5, "input_key": "4:5"}
    rows = lost_rows(spec(tmp_path, unit=unit), Piece("x-1", "4:5", place), ItemError("timed_out", limit_s=3))
    (fault,) = rows["faults"]
    assert (fault["stage"], fault["code"], fault["file_id"]) == ("engine", "timed_out", file_id)
    (work,) = rows["work"]
    assert (work["owner"], work["input_key"]) == ("x-1", "4:5")
    assert ("sources" in rows) == (unit == "files")


def test_a_term_is_needed_for_a_text_in_a_message() -> None:
    with pytest.raises(TypeError, match="plain str"):
        ItemError("unexpected", kind="Doe", stage=Term("scan"))  # type: ignore[arg-type]
