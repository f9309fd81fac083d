"""Prediction as a step: a model of images answers for each image of a cohort, on either engine.

A worker loads the model once and keeps it; one image is in memory at a time. The model is named by its id in the lake
(`models/mo-...`), never by a place on a disk: what a step was told ends in a table that is shared.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from radlake.core.errors import UsageError
from radlake.core.fault import ItemError, Term
from radlake.core.ids import derived_id
from radlake.core.image import Image
from radlake.core.stage import Item, Rows, Stage
from radlake.lake.durable import filled_folder
from radlake.lake.store import Lake
from radlake.learn.bundle import Bundle, BundleError, load, save

_ID = re.compile(r"mo-[a-z0-9]+")
_AXES = {"yx": 2, "zyx": 3}


def keep(lake: Lake, folder: Path) -> str:
    """Copy a bundle into a lake; return the id by which `predict.images` finds it: the same for the same bytes.

    Parameters
    ----------
    lake : Lake
    folder : Path
        Of a bundle; see `radlake.learn.bundle.save`.

    Raises
    ------
    BundleError
        When the folder holds none, or one that was changed.
    UsageError
        For a model of tables, for which `predict` answers, or one of more than two classes.
    """
    bundle = load(folder)
    if (bundle.contract or {}).get("kind") != "images":
        raise UsageError(
            "the step predict.images needs a model of images; this one answers for rows of a table: use predict"
        )
    if len(bundle.fitted.classes) > 2:
        raise UsageError("the step predict.images answers for two classes or a value; this model tells more apart")
    model_id = derived_id("model", hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest())
    with filled_folder(lake.models / model_id) as place:
        save(bundle, place)
    return model_id


def predict(item: Item, *, model: str, image: str = "original") -> Rows:
    """What a model of images answers for this one: a row of `predictions` for each image.

    Parameters
    ----------
    model : str
        Id of a bundle in the lake's models, such as "mo-...".
    image : str
        Name of the image in the chain.

    Raises
    ------
    ItemError
        ``absent_model`` when there is none; ``unfit_for_model`` when the image has other axes or channels than those
        that the model was trained on.
    """
    if item.context.models is None or not _ID.fullmatch(model):
        raise ItemError("absent_model")
    bundle = _loaded(str(item.context.models / model), item.context.memory_bytes)
    answer = _answer(bundle, _fitting(bundle, item.images[image]))
    probability = None if bundle.fitted.task == "regression" else answer
    return [
        (
            "predictions",
            {
                "owner": item.id,
                "prediction_id": derived_id("prediction", model, item.id),
                "model_id": model,
                "unit": "image",
                "unit_id": item.id,
                "patient_id": item.row.get("patient_id"),
                "target": bundle.target,
                "probability": probability,
                "value": answer if probability is None else None,
            },
        )
    ]


@lru_cache(maxsize=1)
def _loaded(folder: str, memory_bytes: int) -> Bundle:
    """The model, loaded once a worker; one that alone would fill the worker's memory is refused."""
    from radlake.core.place import place

    where = place(folder)
    size = sum(path.stat().st_size for path in where.glob("*"))
    if 4 * size > memory_bytes:  # read, checked, copied into tensors, and used
        raise ItemError("too_large", needed_mib=4 * size >> 20, limit_mib=memory_bytes >> 20)
    try:
        bundle = load(cast(Path, where))
    except BundleError:
        raise ItemError("absent_model") from None
    _one_thread()
    return bundle


def _one_thread() -> None:
    """The pool is the parallelism, and the last bits of a network's answer depend on the number of threads."""
    import sys

    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _fitting(bundle: Bundle, image: Image) -> NDArray[Any]:
    """One image as the model takes it: its time points and channels must be as in training."""
    contract = bundle.contract or {}
    wanted = (str(contract.get("axes")), int(contract.get("channels", 1)))
    array = np.asarray(image.array)
    spatial = len(image.geometry.spacing)
    if spatial == 3 and wanted[0] == "yx" and array.shape[0] == 1:
        array, spatial = array[0], 2
    channels = array.shape[-1] if array.ndim == spatial + 1 and image.time_axis is None else 1
    if _AXES.get(wanted[0]) != spatial or channels != wanted[1] or array.ndim > spatial + 1:
        what = Term(f"{spatial} axes and {channels} channels")
        raise ItemError("unfit_for_model", wanted=Term(f"{wanted[0]} with {wanted[1]} channels"), what=what)
    return array


def _answer(bundle: Bundle, array: NDArray[Any]) -> float:
    """Probability of the second class, or the value."""
    if bundle.fitted.task == "regression":
        return float(bundle.predict([array])[0])
    return float(bundle.predict_proba([array])[0, 1])


STAGES: dict[str, Stage] = {
    "predict.images": Stage(
        name="predict.images",
        version=1,
        shape="each",
        over="images",
        reads=("image:{image}",),
        adds=("predictions",),
        function=predict,
        megabytes_per_megavoxel=16.0,
    ),
}
