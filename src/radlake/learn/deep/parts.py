"""What models of images share: the cores that there are, and how trained networks become plain parts and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from radlake.learn.deep import extra

DRAWING = Lock()  # fresh weights come from torch's one generator, also where networks are trained side by side
HERE_ONLY = {"progress", "device", "checkpoint", "threads"}  # options of this machine, not of the model


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def load_weights(network: Any, tensors: Mapping[str, NDArray[Any]]) -> Any:
    """A network with weights from arrays, in evaluation mode.

    Raises
    ------
    ValueError
        When names or shapes do not fit.
    """
    torch = extra.torch()
    try:
        network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()})
    except RuntimeError as error:  # torch's word for names or shapes that do not fit
        raise ValueError("the weights do not fit the network that the description names") from error
    return network.eval()
