"""SQL over a lake by Spark: for results and joins that one machine cannot hold. On one machine DuckDB is faster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa

from radlake.core.place import Remote, place
from radlake.engine.spark.jobs import Spark
from radlake.engine.spark.session import told
from radlake.lake.errors import SqlError
from radlake.lake.query import View, dataset
from radlake.lake.store import Lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TASKS_A_CORE = 4  # that read files of a store: enough to balance


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
        On a disk that all workers share, in HDFS or in S3; for S3 each worker needs credentials of its own.
    text : str
        One query.

    Raises
    ------
    SqlError
        With the first line of Spark's message, which speaks of names and not of values.
    """
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
    if any(isinstance(f, Remote) and f.scheme == "s3" for f in view.files):
        return _by_python(session, view)
    # delta-spark brings no library of its own, so Spark reads the files that the table's log names.
    files = [str(f) if isinstance(f, Remote) else f.absolute().as_uri() for f in view.files]
    return session.read.schema(schema).parquet(*files)


def _by_python(session: SparkSession, view: View) -> DataFrame:
    """A table's files as Python reads them on the workers: Spark's Java side has no door to S3.

    All columns are fetched, whatever a query needs.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    name, schema, mixed = view.name, view.schema, view.mixed

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for uri in batch.column("uri").to_pylist():
                yield from dataset(View(name, schema, (place(uri),), mixed)).to_batches()

    files = pa.table({"uri": [str(f) for f in view.files]})
    parts = min(len(view.files), _TASKS_A_CORE * session.sparkContext.defaultParallelism)
    return session.createDataFrame(files).repartition(parts).mapInArrow(read, from_arrow_schema(schema))
