"""Networks trained by several processes of a cluster, through Spark's TorchDistributor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from radlake.core.errors import RadlakeError, UsageError
from radlake.engine.spark.jobs import Spark
from radlake.engine.spark.session import SparkFailed, told
from radlake.learn.bundle import Bundle
from radlake.learn.deep.estimators import ImageClassifier, ImageRegressor
from radlake.learn.deep.model import ImageModel
from radlake.learn.validate import Fitted

if TYPE_CHECKING:
    from radlake.learn.families import Task

_ESTIMATORS = {kind.__name__: kind for kind in (ImageClassifier, ImageRegressor)}


@dataclass(frozen=True)
class Arrays:
    """Files of numpy arrays (.npy) that every process can read under the same name.

    Parameters
    ----------
    inputs : str
        Images of one size, images first; mapped, so that a process holds its own range of them only.
    target : str
        A class or a value an image.
    groups : str
        Patient of each image, for what `patience` holds out; empty: each image is one.
    """

    inputs: str
    target: str
    groups: str = ""


def fit_network(engine: Spark, model: ImageModel, data: Arrays, *, processes: int) -> ImageModel:
    """A network trained by several processes, one a task of a cluster; on a local master all run on this machine.

    They train on processors, each with one range of the images; see `radlake.learn.deep.distributed`.

    Parameters
    ----------
    engine : Spark
    model : ImageClassifier or ImageRegressor
        Its options say how to train; `batch` is the whole group's. A `checkpoint` is a folder that all processes see;
        `progress` stays silent.
    data : Arrays
    processes : int
        At least two, and at most as many as the cluster has cores.

    Returns
    -------
    ImageModel
        Trained, of the same kind.

    Raises
    ------
    UsageError
        For one process or more than there are cores, or options and data that processes cannot share.
    SparkFailed
        When the job ends.
    """
    if processes < 2:
        raise UsageError("to share a training takes two processes or more; for one call fit")
    if model.precision == "probe":
        raise UsageError("processes may probe differently: set precision to float32 or bfloat16")
    if model.device == "cuda":
        raise UsageError("shared trainings run on processors: set device to cpu")
    if processes > engine.workers:
        raise UsageError(f"{processes} processes were asked for, and {engine.master} has {engine.workers} cores")
    from pyspark.ml.torch.distributor import TorchDistributor

    options = {**model.get_params(), "device": "cpu", "progress": None}
    local = engine.master.startswith("local")
    distributor = TorchDistributor(num_processes=processes, local_mode=local, use_gpu=False)
    try:
        with told():
            found = distributor.run(_fit, type(model).__name__, options, vars(data))
    except RuntimeError:  # its text is a stack, and what the process printed
        raise SparkFailed("a process of the training ended: ask `radlake cluster check --master ...` why") from None
    if isinstance(found, str):
        raise UsageError(found)
    trained: ImageModel = type(model).from_parts(*found)
    return trained


def bundle(model: ImageModel, target: str) -> Bundle:
    """A trained network as it is kept; see `radlake.learn.bundle.save`.

    Parameters
    ----------
    model : ImageClassifier or ImageRegressor
    target : str
        The label that it answers for.
    """
    classes = tuple(np.asarray(getattr(model, "classes_", ())).tolist())
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    fitted = Fitted({}, model, None, task, classes)
    return Bundle(model.network, target, (), fitted, contract=model.contract_)


def _fit(kind: str, options: dict[str, Any], data: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]] | str:
    """What one process does; all end with the same network, or with the same refusal in words."""
    import torch.distributed as dist

    try:
        inputs, target = np.load(data["inputs"], mmap_mode="r"), np.load(data["target"])
        groups = np.load(data["groups"]) if data["groups"] else None
    except (OSError, ValueError) as error:
        return f"the arrays cannot be read: {getattr(error, 'strerror', None) or 'a file is no plain array (.npy)'}"
    dist.init_process_group("gloo")
    try:
        model = _ESTIMATORS[kind](**options).fit(inputs, target, groups=groups)
    except RadlakeError as error:
        return str(error)
    finally:
        dist.destroy_process_group()
    found: tuple[dict[str, Any], dict[str, Any]] = model.parts()
    return found
