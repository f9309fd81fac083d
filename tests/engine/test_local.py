"""Batches by count and by work, and the pool behind them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radlake.core import pool
from radlake.core.stage import Context
from radlake.engine.chain import Chain, Piece, Spec, Step
from radlake.engine.local import Load, Local, batches
from radlake.lake.objects import ObjectStore
from radlake.lake.private import make_private

MIB = 1 << 20


def loads(works: list[int]) -> list[Load]:
    return [Load(Piece(f"im-{n}", "k", {}), memory=n, work=w) for n, w in enumerate(works)]


def test_a_batch_ends_when_it_holds_enough_items_or_enough_work() -> None:
    found = list(batches(loads([0, 0, 0, 100 * MIB, 0, 30 * MIB, 30 * MIB, 0]), 3))
    assert [[p.id for p in b.items] for b in found] == [
        ["im-0", "im-1", "im-2"], ["im-3"], ["im-4", "im-5", "im-6"], ["im-7"],
    ]  # fmt: skip
    assert [b.bytes for b in found] == [2, 3, 6, 7], "a batch needs what its hungriest item needs"


@given(st.lists(st.integers(0, 100 * MIB), max_size=40), st.integers(1, 9))
def test_no_piece_is_lost_or_moved(works: list[int], most: int) -> None:
    given_loads = loads(works)
    found = list(batches(given_loads, most))
    assert [p for b in found for p in b.items] == [load.piece for load in given_loads]
    assert all(0 < len(b.items) <= most for b in found)


@pytest.mark.parametrize("workers", [0, 2])
def test_pieces_come_back_with_their_parts_from_this_process_and_from_others(tmp_path: Path, workers: int) -> None:
    scans = [tmp_path / f"{n}.dcm" for n in range(3)]
    pieces = []
    for number, path in enumerate(scans):
        path.write_bytes(b"")
        pieces.append(Piece(f"fi-{number}", "k", {"uri": str(path), "bytes": 0, "mtime_ns": 1, "input_key": "k"}))
    make_private(tmp_path / "private")
    context = Context(b"k" * 32, ObjectStore(tmp_path / "objects"))
    spec = Spec(Chain("files", (Step("scan"), Step("deid"))), context, str(tmp_path), str(tmp_path / "private"), "run")
    (done,) = Local(workers).each(spec, (Load(p) for p in pieces))
    assert isinstance(done, pool.Done)
    assert list(done.items) == pieces
    assert (done.result.done, done.result.set_aside) == (0, 3)
    assert {p.table: p.rows for p in done.result.parts} == {"faults": 3, "sources": 3, "work": 3}
