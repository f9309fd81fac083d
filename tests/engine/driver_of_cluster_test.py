"""A study on a real cluster, in a process of its own that can be killed: test_cluster.py starts it."""

from __future__ import annotations

import json
import os
import sys

from radlake.engine.api import run
from radlake.engine.pipeline import Pipeline, step
from radlake.engine.spark import Spark, jobs
from radlake.engine.spark.check import check

STUDY = Pipeline(
    "small",
    [step("deid"), step("quality"), step("fingerprint"), step("segment.otsu"), step("features"), step("duplicates")],
)


def main(facts: dict[str, str]) -> None:
    """Ask the workers, then run; says on standard output what came of it."""
    if facts["tasks"] == "small":  # so that a run of few files has many
        jobs._ITEMS_A_TASK.update(files=3, series=1, images=1)
    settings = {"spark.executor.heartbeatInterval": "2s"}
    if facts["events"]:
        settings |= {"spark.eventLog.enabled": "true", "spark.eventLog.dir": facts["events"]}
    engine = Spark(facts["master"], executor_memory="512m", archive=facts["archive"], settings=tuple(settings.items()))
    print(json.dumps({"pid": os.getpid()}), flush=True)
    if facts["events"]:
        workers = check(engine, facts["fingerprint"], facts["key"], [(facts["source"], False), (facts["lake"], True)])
        print(json.dumps([[w.host, w.python, w.problems] for w in workers]), flush=True)
    summary = run(STUDY, facts["source"], facts["lake"], engine=engine, key_file=facts["key"])
    print(json.dumps(summary.files), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
