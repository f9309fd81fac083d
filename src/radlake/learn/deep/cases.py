"""Images to learn from: checked, their near-duplicates found and joined, each way to see them computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from radlake.learn.clock import Clock
from radlake.learn.deep.views import kept_view
from radlake.learn.duplicates import near_duplicates
from radlake.learn.families import Task
from radlake.learn.images import Axes, Images, images
from radlake.learn.journal import Journal
from radlake.learn.problem import Bools, Fingerprint, Ints, Problem, join, labelled


@dataclass(frozen=True, eq=False)
class ImageCases:
    """Images with their outcome.

    Parameters
    ----------
    raw : (N, ...) array, or (N,) object array
        As they were given.
    given : Images
        The same in one layout.
    axes : Axes
        What was said of their axes.
    outcome : Problem
        Outcome, groups, task and classes; no features.
    rows : (N,) int array
        Place of each case among all that were given.
    views : dict
        What has been computed of all images that were given, by name of the view; shared by parts.
    alike : bool
        Whether likeness tells that two images are one; see `radlake.learn.duplicates.near_duplicates`.
    copies : int
        Images that have a near-duplicate.
    device : {"cpu", "cuda"}
        Where networks learn from them.
    augment : str
        How they may be changed while networks learn; a name in `radlake.learn.deep.augment.AUGMENTATIONS`.
    """

    raw: NDArray[Any]
    given: Images
    axes: Axes
    outcome: Problem
    rows: Ints
    views: dict[str, NDArray[np.float32]]
    alike: bool
    copies: int
    device: str = "cpu"
    augment: str = "mild"

    def part(self, chosen: Bools) -> ImageCases:
        """The same with some cases only."""
        return ImageCases(
            self.raw[chosen], self.given.part(chosen), self.axes, self.outcome.part(chosen), self.rows[chosen],
            self.views, self.alike, self.copies, self.device, self.augment,
        )  # fmt: skip

    def compute(self, view: str, journal: Journal | None = None, clock: Clock | None = None) -> None:
        """Compute a view of all images, once; call it on all cases, not on a part."""
        if view not in self.views:
            self.views[view] = kept_view(self.given, view, journal, clock)

    def seen_by(self, view: str | None) -> NDArray[Any]:
        """What a family is given: a view's numbers, or the images themselves."""
        return self.raw if view is None else self.views[view][self.rows]

    @property
    def digest(self) -> str:
        """SHA-256 of images, outcome and groups."""
        return self.given.digest(self.outcome.digest)


def image_cases(
    inputs: Any, y: Any, *, groups: Any = None, clusters: Any = None, task: Task | None = None, axes: Axes = "auto",
    device: str = "cpu",
) -> ImageCases:  # fmt: skip
    """Check images and outcome, and join patients whose images are nearly the same.

    Parameters
    ----------
    inputs : images
        See `radlake.learn.images.images`.
    y, groups, clusters, task
        As in `radlake.learn.problem.problem`; near-duplicate images are found anyway.
    axes : {"auto", "yx", "yxc", "zyx", "zyxc"}
    device : {"cpu", "cuda"}

    Raises
    ------
    UsageError
        When images or outcome cannot be used.
    """
    given = images(inputs, axes=axes)
    twins, alike = near_duplicates(given)
    known = labelled(len(given), y, groups=groups, clusters=clusters, task=task)
    outcome = replace(known, groups=join(len(given), known.groups, twins))
    raw = inputs if isinstance(inputs, np.ndarray) else _listed(inputs)
    _, sizes = np.unique(twins, return_counts=True)
    return ImageCases(
        raw, given, axes, outcome, np.arange(len(given)), {}, alike, int(sizes[sizes > 1].sum()), device
    )  # fmt: skip


def _listed(inputs: Any) -> NDArray[Any]:
    """A list of images as an object array, which can be cut into folds."""
    found = np.empty(len(inputs), dtype=np.object_)
    for i, image in enumerate(inputs):
        found[i] = np.asarray(image)
    return found


def image_fingerprint(cases: ImageCases) -> Fingerprint:
    """The numbers that describe images and outcome; there are no features to describe."""
    outcome = cases.outcome
    groups, fewest, prevalence = len(np.unique(outcome.groups)), len(np.unique(outcome.groups)), ()
    if outcome.task != "regression":
        counts = np.bincount(outcome.y, minlength=len(outcome.classes))
        prevalence = tuple((counts / counts.sum()).tolist())
        fewest = min(len(np.unique(outcome.groups[outcome.y == c])) for c in range(len(outcome.classes)))
    return Fingerprint(
        cases=len(outcome.y), groups=groups, features=0, fewest=fewest, prevalence=prevalence, missing=0.0,
        duplicates=cases.copies, empty=(), constant=(), too_good=(),
    )  # fmt: skip
