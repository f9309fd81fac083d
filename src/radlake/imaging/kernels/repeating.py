"""The kernel that pads a volume: every place of the result repeats a sample, or is zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from radlake.core.image import Array
from radlake.imaging.kernels.compiled import compiled, copy
from radlake.imaging.kernels.threads import Limits

Places = NDArray[np.int64]


@compiled(
    *(
        f"void(int{bits}[:,:,::1], int64[::1], int64[::1], int64[::1], int{bits}[:,:,::1], UniTuple(int64, 4))"
        for bits in (8, 16, 32, 64)
    )
)
def repeat(array: Array, from_z: Places, from_y: Places, from_x: Places, out: Array, limits: Limits) -> None:
    """Fill some rows of some planes with the samples that they repeat; -1 stands for zero."""
    width = array.shape[2]
    low = (out.shape[2] - width) // 2
    for z in range(limits[0], limits[1]):
        for y in range(limits[2], limits[3]):
            line = out[z, y]
            if from_z[z] < 0 or from_y[y] < 0:
                line[:] = 0
                continue
            source = array[from_z[z], from_y[y]]
            copy(source, line[low : low + width])
            for x in range(low):
                line[x] = source[from_x[x]] if from_x[x] >= 0 else 0
            for x in range(low + width, line.size):
                line[x] = source[from_x[x]] if from_x[x] >= 0 else 0
