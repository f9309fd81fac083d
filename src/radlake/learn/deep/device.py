"""Where networks are trained: the processor or a GPU, what makes a GPU's results repeat, and what fits into its memory.

A training that fits is kept on the GPU as a whole; otherwise it waits in pinned memory, from which batches are copied
while the GPU works. Nothing of a step asks the GPU for a number before the epoch has ended, so that it never waits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from radlake.core.errors import UsageError
from radlake.learn.deep import extra

Device = Literal["auto", "cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda")

_SHARE = 0.5  # of the GPU's free memory that images may take; the rest is for the network
# cuBLAS gives the same bits again only with a workspace of fixed size (NVIDIA, cuBLAS library, section 2.1.4).
_WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def resolve(device: str) -> Literal["cpu", "cuda"]:
    """The processor or the GPU; `auto` takes the GPU where there is one.

    Raises
    ------
    UsageError
        When there is no such device, or no GPU that PyTorch can use.
    """
    if device not in DEVICES:
        raise UsageError(f"device must be one of {', '.join(DEVICES)}; got {device!r}")
    there = device != "cpu" and bool(extra.torch().cuda.is_available())
    if device == "cuda" and not there:
        raise UsageError(
            "PyTorch sees no GPU here; take device auto or cpu, or install a PyTorch that is built for the GPU's driver"
        )
    if there:
        os.environ.setdefault(*_WORKSPACE)
    return "cuda" if there else "cpu"


def described(device: str) -> dict[str, str]:
    """What a bundle tells of the device: its kind, and of a GPU its name."""
    return {"kind": device, "name": extra.torch().cuda.get_device_name() if device == "cuda" else ""}


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """Inside, cuDNN takes only convolutions that give the same bits again, and chooses them without trying."""
    if device != "cuda":
        yield
        return
    cudnn = extra.torch().backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


def fits(number_of_bytes: int, device: str) -> bool:
    """Whether so much may stay on the device during a training."""
    return device == "cpu" or number_of_bytes <= _SHARE * extra.torch().cuda.mem_get_info()[0]


def rows_of(values: Any, device: str) -> Callable[[Any], Any]:
    """What gives the rows of a tensor by their numbers, on the device.

    Parameters
    ----------
    values : (N, ...) tensor
        On the processor.
    device : str
        Where the rows are wanted. What does not fit there stays in pinned memory; then numbers are on the processor.
    """
    torch = extra.torch()
    if fits(values.nbytes, device):
        there = values.to(device)
        return lambda numbers: there[numbers]

    def rows(numbers: Any) -> Any:
        found = torch.empty((len(numbers), *values.shape[1:]), dtype=values.dtype, pin_memory=True)
        return torch.index_select(values, 0, numbers, out=found).to(device, non_blocking=True)

    return rows
