"""What is measured of a region besides itself: it on the responses of filters, its shells and its habitats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.features.filtered import Filter, region_on
from radlake.features.roi import Roi
from radlake.features.subregions import Habitat, Part, Shell

Aspect = Filter | Part
FIRST_ORDER = ("fraction", "intensity", "histogram", "ivh")  # what parts of a region are measured by


def shown(roi: Roi, aspect: Aspect | None, responses: dict[Filter, Array] | None = None) -> Roi:
    """A region as an aspect shows it; None: as it is.

    Parameters
    ----------
    roi : Roi
        With its image.
    aspect : Filter, Shell, Habitat or None
    responses : dict, optional
        Responses of filters to this image that are known already; the one that is made is added.

    Raises
    ------
    ItemError
        What the filter cannot take, or a part that is empty.
    ValueError
        When the roi has no image.
    """
    if aspect is None:
        return roi
    if isinstance(aspect, Shell | Habitat):
        if roi.intensity is None:
            raise ValueError("shells and habitats need an image")
        return aspect.of(roi)
    return region_on(roi, aspect, responses)


def aspects_of(
    roi: Roi | ItemError, aspects: Sequence[Aspect], responses: dict[Filter, Array] | None = None
) -> Iterator[tuple[Aspect | None, Roi | ItemError]]:
    """A region as it is and in every aspect, or what stands against that.

    Parameters
    ----------
    roi : Roi or ItemError
        What stands against the region itself stands against all.
    aspects : sequence of Aspect
    responses : dict, optional
        As for `shown`.

    Examples
    --------
    >>> problem = ItemError("empty_mask")
    >>> [(aspect.label if aspect else None, found is problem) for aspect, found in aspects_of(problem, [Shell(0, 5)])]
    [(None, True), ('shell_0_5', True)]
    """
    yield None, roi
    for aspect in aspects:
        try:
            yield aspect, roi if isinstance(roi, ItemError) else shown(roi, aspect, responses)
        except ItemError as problem:
            yield aspect, problem
