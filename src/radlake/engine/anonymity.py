"""k-anonymity of a table in a file, and the file generalised to a k."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError
from radlake.deid.anonymity import Anonymity, measure
from radlake.deid.anonymity import reach as generalise
from radlake.engine.join import BadTable
from radlake.formats.tabular import read_table
from radlake.lake.durable import publish, temporary_file
from radlake.lake.errors import storage_errors


def anonymity(
    source: str, quasi: Sequence[str], sensitive: Sequence[str], *, reach: int | None = None, out: Path | None = None
) -> Anonymity:
    """What a table promises; with `reach`, what it promises after it was generalised and written to `out`.

    Parameters
    ----------
    source : str
        Path, as `radlake.formats.tabular.read_table` takes it.
    quasi, sensitive : sequence of str
        Columns.
    reach : int, optional
        The k to reach; every other column stays as it is, so drop names and numbers of people before.
    out : Path, optional
        A .parquet or .csv file, needed with `reach`.

    Raises
    ------
    UsageError
        When the table cannot be read, or a column or file makes no sense.
    """
    if (reach is None) != (out is None):
        raise UsageError("--reach and --out belong together: where should the generalised table go?")
    if out is not None and out.suffix.lower() not in {".parquet", ".csv"}:
        raise UsageError("the result is written as .parquet or .csv; name such a file with --out")
    try:
        table = read_table(source)
    except ItemError as error:
        raise BadTable(f"{error}; {error.hint}") from None
    if reach is not None and out is not None:
        table = generalise(table, quasi, reach)
        with storage_errors(), temporary_file(out.parent) as temporary:
            if out.suffix.lower() == ".csv":
                import pyarrow.csv

                pyarrow.csv.write_csv(table, temporary)
            else:
                import pyarrow.parquet

                pyarrow.parquet.write_table(table, temporary)
            publish(temporary, out)
    return measure(table, quasi, sensitive)
