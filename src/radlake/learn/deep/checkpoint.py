"""A training's whole state as one safetensors file: tensors, and all else as JSON in its header; never pickle.

Written as a temporary file that is renamed, so that a kill leaves the state before or the state after.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from radlake.core.errors import RadlakeError

_NAME = "checkpoint.safetensors"


class CheckpointError(RadlakeError):
    """The folder's checkpoint cannot be gone on from; the message says why."""


def write(folder: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Replace the folder's checkpoint.

    Parameters
    ----------
    folder : Path
        Made where needed.
    tensors : mapping
    state : mapping
        JSON values.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{_NAME}.{os.getpid()}"
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    draft.write_bytes(save(plain, metadata={"state": json.dumps(state, sort_keys=True)}))
    draft.replace(folder / _NAME)


def read(folder: Path, identity: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The folder's checkpoint, or None where there is none.

    Parameters
    ----------
    folder : Path
    identity : str
        Of the training: the `identity` in the state must be the same.

    Raises
    ------
    CheckpointError
        When it is damaged, or of other images, outcomes or options.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / _NAME
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            state = json.loads(file.metadata()["state"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        same = state["identity"] == identity
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise CheckpointError(f"{_NAME} cannot be read; remove it to start anew") from error
    if not same:
        raise CheckpointError(
            f"{_NAME} is of a training on other images, outcomes or options; give another folder, or remove it"
        )
    return tensors, state
