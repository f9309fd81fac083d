"""Inputs that were set aside: listing them, and having them tried again."""

from __future__ import annotations

import pyarrow as pa

from radlake.core.fault import FAULTS
from radlake.core.schema import WORK
from radlake.lake.errors import UnknownIdError
from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake

_RUN = "retry"


def listing(lake: Lake, *, code: str | None = None, with_paths: bool = False) -> pa.Table:
    """Files with a fault, ordered by code and id; ignored files are none.

    Parameters
    ----------
    lake : Lake
    code : str, optional
        Only faults with this code.
    with_paths : bool
        Adds `uri`, for the owner of the private part.

    Returns
    -------
    pa.Table
        file_id, status (done: some member was kept), stage, code, message, hint, and uri on request.

    Raises
    ------
    UnknownIdError
        When radlake has no such code.
    PrivatePartError
        When paths are asked for and the private part may not be read.
    """
    uri, join = "", ""
    if with_paths:
        lake.exists("sources")  # says why the private part may not be read, if so
        uri, join = ", s.uri", "LEFT JOIN private.sources s USING (file_id)"
    return lake.sql(
        "SELECT f.file_id, f.status, f.fault_stage AS stage, f.fault_code AS code, f.fault_message AS message, "
        f"f.fault_hint AS hint{uri} FROM files f {join} "
        f"WHERE f.fault_code IS NOT NULL AND f.status <> 'ignored' AND {_is_code('f.fault_code', code)} "
        "ORDER BY code, file_id"
    )


def retry(lake: Lake, code: str | None = None) -> list[str]:
    """Have the next run take up again what was set aside; return the ids of the files concerned.

    What they left in the lake stays, and their faults with it, until that run replaces it: only the note that they are
    done is taken back (`work.input_key` becomes null, which equals no input).

    Parameters
    ----------
    lake : Lake
    code : str, optional
        Only faults with this code.

    Raises
    ------
    UnknownIdError
        When radlake has no such code.
    LakeLockedError
        While a run goes on.
    """
    with lake.lock():
        lake.recover()
        files: list[str] = listing(lake, code=code)["file_id"].to_pylist()
        done = lake.sql(f"SELECT * FROM work SEMI JOIN ({_faulty(code)}) USING (owner) ORDER BY ALL").cast(WORK)
        if done.num_rows:
            column = done.schema.get_field_index("input_key")
            again = done.set_column(column, WORK.field("input_key"), pa.nulls(done.num_rows, pa.string()))
            part = write_part(lake.root, lake.private, "work", again, name=_RUN)
            owners = tuple(sorted(set(done["owner"].to_pylist())))
            lake.commit(_RUN, lake.next_sequence(_RUN), [Change("work", (part,), owners)])
        return files


def _faulty(code: str | None) -> str:
    """Query for the owners of faults."""
    return f"SELECT owner FROM faults WHERE NOT ignored AND {_is_code('code', code)}"


def _is_code(column: str, code: str | None) -> str:
    """Condition in SQL on a code; always true for none."""
    if code is not None and code not in FAULTS:
        raise UnknownIdError("no fault has this code: see `radlake quarantine list` for those in the lake")
    return "true" if code is None else f"{column} = '{code}'"
