"""Rotation invariance by right angles: filter with every rotated kernel, then keep the greatest response or the mean.

Kernels here are separable, one chain of one-dimensional kernels for each direction. Directions are counted as the IBSI
does, x first; arrays as everywhere, x last.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radlake.core.fault import ItemError
from radlake.imaging.arguments import Border, known_border

Pooling = Literal["average", "max"]
Values = NDArray[np.float32]
Chain = tuple[NDArray[np.float64], ...]


class Rotation(NamedTuple):
    """A rotation by right angles: direction i takes what belonged to `source[i]`, mirrored where `mirrored[i]`."""

    source: tuple[int, ...]
    mirrored: tuple[bool, ...]


def right_angles(directions: int) -> list[Rotation]:
    """All rotations by right angles: 4 in the plane, 24 in space; the identity first.

    Examples
    --------
    >>> right_angles(2)[1]
    Rotation(source=(0, 1), mirrored=(True, True))
    """
    found = []
    for source in itertools.permutations(range(directions)):
        swaps = sum(a > b for a, b in itertools.combinations(source, 2))
        for mirrored in itertools.product((False, True), repeat=directions):
            if (swaps + sum(mirrored)) % 2 == 0:  # otherwise a reflection
                found.append(Rotation(source, mirrored))
    return found


def pooled(responses: Iterable[tuple[Values, int]], pooling: Pooling) -> Values:
    """One response of several, each with how often it counts.

    Parameters
    ----------
    responses : pairs of array and count
        At least one; arrays of one shape.
    pooling : {"average", "max"}

    Raises
    ------
    ValueError
        For another pooling.

    Examples
    --------
    >>> pooled([(np.array([1.0, 5.0]), 1), (np.array([4.0, 2.0]), 2)], "average").tolist()
    [3.0, 3.0]
    """
    if pooling not in ("average", "max"):
        raise ValueError(f"pooling must be 'average' or 'max', got {pooling!r}")
    several = iter(responses)
    first, total = next(several)
    result = first * first.dtype.type(total) if pooling == "average" else first
    for response, count in several:
        if pooling == "max":
            result = np.maximum(result, response)
        else:
            result += response * response.dtype.type(count)
            total += count
    return result / result.dtype.type(total) if pooling == "average" else result


def separable_response(array: Values, chains: Sequence[Chain], pooling: Pooling | None, border: Border) -> Values:
    """Response to kernels along the last axes of an array, in the unit of the input.

    Parameters
    ----------
    array : (z, y, x) or (y, x) float32 array, not empty
        With two chains, each plane by itself.
    chains : sequence of tuples of kernels
        For each direction, x first, kernels that are convolved one after the other; the middle of n samples is sample
        n // 2. Directions with the same kernels hold the same tuple.
    pooling : {"average", "max"} or None
        Over all right-angle rotations of the kernels; None: the kernels as they are.
    border : {"reflect", "nearest", "mirror", "wrap", "constant"}

    Raises
    ------
    ItemError
        `too_few_axes`: fewer than chains.
    ValueError
        For another pooling or border.

    References
    ----------
    Andrearczyk et al. (2019), Exploring local rotation invariance in 3D CNNs with steerable filters, MIDL (right-angle
    rotations); IBSI reference manual 2 (arXiv:2006.05470), rotation invariance.

    Examples
    --------
    >>> slope = (np.array([1.0, 0.0, -1.0]) / 2,)
    >>> flat = (np.array([1.0]),)
    >>> ramp = np.tile(np.arange(4, dtype=np.float32), (3, 1))
    >>> separable_response(ramp, [slope, flat], None, "nearest")[0].tolist()
    [0.5, 1.0, 1.0, 0.5]
    >>> separable_response(ramp[::-1, ::-1], [slope, flat], "max", "nearest")[0].tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    if len(chains) > array.ndim:
        raise ItemError("too_few_axes", expected=len(chains), found=array.ndim)
    kinds = list(dict.fromkeys(id(chain) for chain in chains))
    by_kind = {kinds.index(id(chain)): chain for chain in chains}
    rotations = right_angles(len(chains)) if pooling is not None else right_angles(len(chains))[:1]
    plans: Counter[tuple[tuple[int, bool], ...]] = Counter()
    for rotation in rotations:
        steps = zip(rotation.source, rotation.mirrored, strict=True)
        plans[tuple((kinds.index(id(chains[s])), m and not _symmetric(chains[s])) for s, m in steps)] += 1
    mode = known_border(border)
    return pooled(_branches(array, plans, 0, by_kind, mode), pooling or "average")


def _symmetric(chain: Chain) -> bool:
    """Whether mirroring changes nothing."""
    return all(kernel.size % 2 == 1 and np.array_equal(kernel, kernel[::-1]) for kernel in chain)


def _branches(
    array: Values,
    plans: dict[tuple[tuple[int, bool], ...], int],
    direction: int,
    chains: dict[int, Chain],
    border: Border,
) -> Iterator[tuple[Values, int]]:
    """Responses of all plans with their counts; plans that begin alike share what they have in common."""
    if direction == len(next(iter(plans))):
        yield array, sum(plans.values())
        return
    for step in dict.fromkeys(plan[direction] for plan in plans):
        kind, mirrored = step
        response = _convolved(array, chains[kind], mirrored, array.ndim - 1 - direction, border)
        rest = {plan: count for plan, count in plans.items() if plan[direction] == step}
        yield from _branches(response, rest, direction + 1, chains, border)


def _convolved(array: Values, chain: Chain, mirrored: bool, axis: int, border: Border) -> Values:
    """Convolution with the kernels of a chain along an axis."""
    from scipy import ndimage

    for kernel in chain:
        # the mirror image of a kernel with an even number of samples has its middle one sample further
        origin = -1 if mirrored and kernel.size % 2 == 0 else 0
        weights = kernel[::-1] if mirrored else kernel
        array = ndimage.convolve1d(array, weights, axis=axis, mode=border, origin=origin)
    return array
