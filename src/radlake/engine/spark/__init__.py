"""The Spark engine: the same pieces and the same chains, on a cluster. The only package that knows pyspark.

`session` starts Spark, `jobs` does chains there, `check` looks whether a cluster can, `learning` is for what does not
fit on one machine. Importing this package imports no pyspark.
"""

from radlake.engine.spark.jobs import Spark
from radlake.engine.spark.session import NoSpark, SparkFailed

__all__ = ["NoSpark", "Spark", "SparkFailed"]
