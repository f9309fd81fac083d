"""What is measured of a region besides itself: it on the responses of filters, its shells and its habitats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from radlake.core.fault import ItemError
from radlake.core.image import Array
from radlake.features.filtered import Filter, region_on
from radlake.features.roi import Roi
from radlake.features.subregions import Habitat, Part, Shell

View = Filter | Part
FIRST_ORDER = ("fraction", "intensity", "histogram", "ivh")  # what parts of a region are measured by


def viewed(roi: Roi, view: View | None, responses: dict[Filter, Array] | None = None) -> Roi:
    """A region as a view shows it; None: as it is.

    Parameters
    ----------
    roi : Roi
        With its image.
    view : Filter, Shell, Habitat or None
    responses : dict, optional
        Responses of filters to this image that are known already; the one that is made is added.

    Raises
    ------
    ItemError
        What the filter cannot take, or a part that is empty.
    ValueError
        When the roi has no image.
    """
    if view is None:
        return roi
    if isinstance(view, Shell | Habitat):
        if roi.intensity is None:
            raise ValueError("shells and habitats need an image")
        return view.of(roi)
    return region_on(roi, view, responses)


def views_of(
    roi: Roi | ItemError, views: Sequence[View], responses: dict[Filter, Array] | None = None
) -> Iterator[tuple[View | None, Roi | ItemError]]:
    """A region as it is and in every view, or what stands against that.

    Parameters
    ----------
    roi : Roi or ItemError
        What stands against the region itself stands against all.
    views : sequence of View
    responses : dict, optional
        As for `viewed`.

    Examples
    --------
    >>> problem = ItemError("empty_mask")
    >>> [(view.label if view else None, found is problem) for view, found in views_of(problem, [Shell(0, 5)])]
    [(None, True), ('shell_0_5', True)]
    """
    yield None, roi
    for view in views:
        try:
            yield view, roi if isinstance(roi, ItemError) else viewed(roi, view, responses)
        except ItemError as problem:
            yield view, problem
