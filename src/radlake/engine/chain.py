"""A chain: the fused steps that an item goes through in one worker, and the batch of work that engines hand out.

The same `Work` runs in the local pool and in Spark's Python workers: it does each item, writes one Parquet part per
table, and hands back what to commit.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from radlake.core.fault import BrokenMembers, Fault, ItemError, Term
from radlake.core.schema import TABLES
from radlake.core.stage import Context, Item, Over, Row, Rows, Stage
from radlake.engine.registry import stage
from radlake.lake.parts import Part, write_part

UNIT = {
    "files": "file", "series": "series", "images": "image", "measures": "measure", "cohort": "cohort", "lake": "lake",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """A stage by name with its parameters, as a pipeline writes it."""

    stage: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Chain:
    """Steps over one kind of item.

    Parameters
    ----------
    unit : {"files", "series", "images", "measures", "lake"}
        What its items are.
    steps : tuple of Step
        In order.
    setting : str
        What else decides its results (a pattern on paths); it may name places, so only its hash is ever written.
    """

    unit: Over
    steps: tuple[Step, ...]
    setting: str = ""

    @cached_property
    def stages(self) -> list[Stage]:
        """The registered stages, in order."""
        return [stage(s.stage) for s in self.steps]

    @property
    def tables(self) -> list[str]:
        """Tables that its items may fill, `faults` and `work` last."""
        found = [a for s in self.stages for a in s.adds if a in TABLES]
        if self.unit == "files":
            found.append("sources")
        return [*dict.fromkeys(found), "faults", "work"]

    @cached_property
    def description(self) -> str:
        """Names, versions and parameters as canonical JSON: what `chains` stores."""
        steps = [
            {"stage": s.name, "version": s.version, **t.parameters}
            for s, t in zip(self.stages, self.steps, strict=True)
        ]
        return json.dumps(steps, sort_keys=True)

    @cached_property
    def key(self) -> str:
        """Short hash of unit, description and setting: equal keys mean equal results."""
        told = "\n".join(t for t in (self.unit, self.description, self.setting) if t)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Piece:
    """An item as it travels to a worker.

    Parameters
    ----------
    id : str
        file_id, series_id or image_id, or of a measure (`radlake.engine.measure`).
    input_key : str
        Hash of what the item is made of; work is done again when it changes.
    row, members, masks
        As in `radlake.core.stage.Item`.
    """

    id: str
    input_key: str
    row: Row
    members: list[Row] = field(default_factory=list)
    masks: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Spec:
    """All that a worker must know to do a chain. Holds the key: never printed.

    Parameters
    ----------
    chain : Chain
    context : Context
    lake_root, private_root : str
        Where parts are written.
    run_id : str
    key_file : str
        Where a worker on another machine finds the key; empty: in its user's configuration.
    """

    chain: Chain
    context: Context
    lake_root: str
    private_root: str
    run_id: str
    key_file: str = ""


@dataclass(frozen=True)
class Result:
    """What a batch left: parts to commit, how many items passed (or hold nothing to keep), how many were set aside."""

    parts: list[Part]
    done: int
    set_aside: int


class Work:
    """Do batches of pieces: `Work(spec)(pieces, tick)`."""

    def __init__(self, spec: Spec):
        self.spec = spec
        self.steps: list[tuple[Stage, dict[str, Any]]] = [
            (s, t.parameters) for s, t in zip(spec.chain.stages, spec.chain.steps, strict=True)
        ]

    def __call__(self, pieces: Sequence[Piece], tick: Callable[[int], None]) -> Result:
        """Every piece in turn, then one part per table."""
        tables: dict[str, list[Row]] = defaultdict(list)
        faults = 0
        for index, piece in enumerate(pieces):
            tick(index)
            started = time.perf_counter()
            rows, fault = self.do(piece)
            for table, row in rows:
                tables[table].append(row)
            if fault:
                faults += not fault.ignored
                tables["faults"].append(fault_row(self.spec.chain.unit, piece.id, fault))
            tables["work"].append(work_row(self.spec, piece, time.perf_counter() - started))
        return Result(self._write(pieces, tables), len(pieces) - faults, faults)

    def do(self, piece: Piece) -> tuple[Rows, Fault | None]:
        """One piece through all steps: the rows made until a fault stopped it, and the fault."""
        item = Item(
            self.spec.chain.unit, piece.id, piece.row, self.spec.context, members=piece.members, masks=piece.masks
        )
        rows: Rows = []
        fault = None
        for current, parameters in self.steps:
            try:
                rows += current.function(item, **parameters)
            except BrokenMembers as error:
                rows += [("faults", member_fault_row(f, m, e.fault(current.name))) for f, m, e in error.members]
                break
            except Exception as error:  # noqa: BLE001 - whatever one item does, the cohort goes on
                fault = self._fault(error, current)
                break
        if item.unit == "files":
            rows.append(("sources", source_row(item)))
        return rows, fault

    def _fault(self, error: Exception, current: Stage) -> Fault:
        """What an exception means for the item; under --strict the unforeseen is raised."""
        if isinstance(error, ItemError):
            return error.fault(current.name)
        if isinstance(error, MemoryError):
            limit = self.spec.context.memory_bytes >> 20
            return ItemError("out_of_memory", limit_mib=limit).fault(current.name)
        if self.spec.context.strict:
            raise error
        kind = Term(type(error).__name__)
        return ItemError("unexpected", kind=kind, stage=Term(current.name)).fault(current.name)

    def _write(self, pieces: Sequence[Piece], tables: dict[str, list[Row]]) -> list[Part]:
        """One part per table that has rows, named by the work and its input."""
        digest = hashlib.sha256(self.spec.chain.key.encode())
        for piece in pieces:
            digest.update(f"{piece.id}:{piece.input_key};".encode())
        name = digest.hexdigest()[:24]
        return [
            write_part(self.spec.lake_root, self.spec.private_root, table, rows, name=name)
            for table, rows in sorted(tables.items())
            if rows
        ]


def fault_row(unit: Over, owner: str, fault: Fault) -> Row:
    """A row of `faults` for an item as a whole."""
    return {
        "owner": owner,
        "unit": UNIT[unit],
        "unit_id": owner,
        "file_id": owner if unit == "files" else None,
        "stage": fault.stage,
        "code": fault.code,
        "message": fault.message,
        "hint": fault.hint,
        "ignored": fault.ignored,
    }


def member_fault_row(file_id: str, member: int, fault: Fault) -> Row:
    """A row of `faults` for one member of a file; it is the file's, so that it lasts until the file changes."""
    row = fault_row("files", file_id, fault)
    return row | {"unit": "member", "unit_id": f"{file_id}#{member}"}


def work_row(spec: Spec, piece: Piece, seconds: float) -> Row:
    """A row of `work`: this piece, with this input, has been through this chain."""
    return {
        "owner": piece.id,
        "unit": UNIT[spec.chain.unit],
        "chain_key": spec.chain.key,
        "input_key": piece.input_key,
        "run_id": spec.run_id,
        "seconds": seconds,
    }


def source_row(item: Item) -> Row:
    """The row of `private.sources` that leads back to a file: it is written also for a file that nothing could read."""
    names = [h.member_name for h in item.headers]
    return {
        "owner": item.id,
        "file_id": item.id,
        "uri": item.row["uri"],
        "format": item.row.get("format"),
        "bytes": item.row["bytes"],
        "mtime_ns": item.row["mtime_ns"],
        "input_key": item.row["input_key"],
        "members": names if any(names) else None,
    }


def lost_rows(spec: Spec, piece: Piece, error: ItemError) -> dict[str, list[Row]]:
    """Rows for a piece that no worker could do: its fault, its source, and that it is done with."""
    fault = error.fault("engine")
    rows = {"faults": [fault_row(spec.chain.unit, piece.id, fault)], "work": [work_row(spec, piece, 0.0)]}
    if spec.chain.unit == "files":
        rows["sources"] = [source_row(Item("files", piece.id, piece.row, spec.context))]
    return rows
