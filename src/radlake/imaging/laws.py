"""Laws' texture kernels: levels, edges, spots, waves and ripples, and how much of each there is nearby."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from radlake.core.image import Array
from radlake.imaging.arguments import Border, ImageOrArray, Spacing, on_spatial_axes
from radlake.imaging.filters.smooth import mean
from radlake.imaging.rotations import Chain, Pooling, separable_response

_WEIGHTS: dict[str, tuple[int, ...]] = {
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}


def laws(
    image: ImageOrArray,
    *,
    kernels: str = "L5E5E5",
    pooling: Pooling | None = None,
    energy_vox: int | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = None,
    border: Border = "reflect",
) -> ImageOrArray:
    """Response to Laws' kernels, or its energy, in the unit of the input; float32.

    Parameters
    ----------
    image : Image or (z, y, x) or (y, x) array
        Any real dtype. NaN spreads as far as the kernels and the energy reach.
    kernels : str
        Names of kernels (L3, E3, S3, L5, E5, S5, W5, R5) along x, y and z: "L5E5E5"; two for planes, or to filter a
        volume plane by plane. Each is scaled so that its squares sum to 1.
    pooling : {"average", "max"}, optional
        Over all right-angle rotations of the kernels; without, the kernels as they are.
    energy_vox : int, optional
        Instead of the response the mean of its absolute values over a box that reaches so many voxels each way.
    spacing : floats, optional
        Not used: kernels are in voxels. Resample images whose voxels differ first.
    channel_axis : int, optional
        For arrays: channels are filtered one by one.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}
        How the image goes on outside, named as in scipy.ndimage; "constant" is zero.

    Raises
    ------
    ItemError
        `too_few_axes`: the image has fewer.
    ValueError
        For unknown kernels or a negative `energy_vox`.

    References
    ----------
    Laws (1980), Rapid texture identification, SPIE 0238; IBSI reference manual 2 (arXiv:2006.05470), Laws kernels.

    Examples
    --------
    >>> laws(np.eye(3, 5), kernels="E3L3", border="constant")[1].astype(float).round(2).tolist()
    [-0.58, 0.0, 0.58, 0.29, 0.0]
    """
    chains = chains_of(kernels)
    if energy_vox is not None and energy_vox < 0:
        raise ValueError(f"energy_vox must not be negative, got {energy_vox}")

    def respond(array: Array, _steps: Spacing) -> Array:
        if array.size == 0:
            return array.astype(np.float32)
        response = separable_response(array.astype(np.float32), chains, pooling, border)
        if energy_vox is None:
            return response
        sides = (1,) * (array.ndim - len(chains)) + (2 * energy_vox + 1,) * len(chains)
        return mean(np.abs(response), size_vox=sides, border=border)

    return on_spatial_axes(image, respond, spacing=spacing, channel_axis=channel_axis)


def chains_of(kernels: str) -> list[Chain]:
    """Kernels by their names, one chain a direction, x first; equal names share theirs.

    Raises
    ------
    ValueError
        For unknown names, or fewer than two or more than three.

    Examples
    --------
    >>> [len(kernel) for (kernel,) in chains_of("L5E3")]
    [5, 3]
    """
    names = [kernels[i : i + 2].upper() for i in range(0, len(kernels), 2)]
    unknown = [name for name in names if name not in _WEIGHTS]
    if unknown or len(names) not in (2, 3):
        raise ValueError(f"kernels must be two or three of {', '.join(_WEIGHTS)}, such as 'L5E5E5'; got {kernels!r}")
    chains: dict[str, Chain] = {}
    for name in names:
        weights = np.array(_WEIGHTS[name], np.float64)
        chains.setdefault(name, (weights / np.sqrt(np.sum(weights**2)),))
    return [chains[name] for name in names]
