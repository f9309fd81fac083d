"""SQL over a lake by Spark: for results and joins that one machine cannot hold. On one machine DuckDB is faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from radlake.core.errors import UsageError
from radlake.core.place import Remote
from radlake.engine.spark.jobs import Spark
from radlake.engine.spark.session import told
from radlake.lake.errors import SqlError
from radlake.lake.query import View
from radlake.lake.store import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def sql(engine: Spark, lake: Lake, text: str) -> pa.Table:
    """Result of one SELECT in Spark's dialect over the tables as they are now. Arguments and errors as for `frame`."""
    with _refused():
        found: pa.Table = frame(engine, lake, text).toArrow()
        return found


def frame(engine: Spark, lake: Lake, text: str) -> DataFrame:
    """A query as Spark holds it: nothing is computed before somebody asks for rows.

    The private part's tables are called `private_sources` and so on, for whoever may read it.

    Parameters
    ----------
    engine : Spark
    lake : Lake
        On a disk that all workers share, or in HDFS.
    text : str
        One query.

    Raises
    ------
    UsageError
        When the lake lies where Spark's own reader does not reach.
    SqlError
        With the first line of Spark's message, which speaks of names and not of values.
    """
    if isinstance(lake.root, Remote) and lake.root.scheme == "s3":
        raise UsageError(
            "Spark's own reader has no door to S3 here: ask without --engine spark, which reads it by DuckDB"
        )
    session = engine.session()
    for state in lake.snapshot().values():
        _table(session, state.view).createOrReplaceTempView(state.view.name.replace(".", "_"))
    with _refused():
        return session.sql(text)


@contextmanager
def _refused() -> Iterator[None]:
    """Tell a wrong query apart from a job that fails."""
    from pyspark.errors import AnalysisException, ParseException

    try:
        with told((AnalysisException, ParseException)):
            yield
    except (AnalysisException, ParseException) as error:
        raise SqlError(str(error).partition("\n")[0]) from None


def _table(session: SparkSession, view: View) -> DataFrame:
    """A table's files as Spark reads them."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = from_arrow_schema(view.schema)
    if not view.files:
        return session.createDataFrame([], schema)
    # delta-spark brings no library of its own, so Spark reads the files that the table's log names.
    files = [str(f) if isinstance(f, Remote) else f.absolute().as_uri() for f in view.files]
    return session.read.schema(schema).parquet(*files)
