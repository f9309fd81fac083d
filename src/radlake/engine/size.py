"""How much memory a chain takes for one image, from its row alone: what decides how many images are done at once."""

from __future__ import annotations

from math import prod

from radlake.core.stage import Row
from radlake.engine.chain import Chain

_KEPT_IMAGE = 4  # bytes a sample: filters give float32
_KEPT_MASK = 1  # bytes a sample
# Checks, fingerprint and preview look at single planes, which they widen to float64 a few times (measured: 32 bytes).
_PLANE = 32


def peak_bytes(chain: Chain, image: Row) -> int:
    """Most memory that the steps of a chain take for an image, in bytes, loading included.

    Parameters
    ----------
    chain : Chain
        Over images; its stages state their working memory, and by `adds` what they leave for later ones.
    image : Row
        Row of `images`.

    Notes
    -----
    A step that makes an image works on all time points and channels; the others work on the brightness of one time
    point. Masks that come with an image are bounded where they are read (`radlake.formats.stages.regions`).

    Examples
    --------
    >>> from radlake.engine.chain import Step
    >>> ct = {"rows": 512, "columns": 512, "slices": 600, "estimated_bytes": 900 << 20}
    >>> peak_bytes(Chain("images", (Step("load"), Step("segment.otsu"))), ct) >> 20
    1958
    """
    spatial = _samples(image, "rows", "columns", "slices")
    everything = spatial * _samples(image, "frames", "channels")
    kept = growth = 0.0
    for stage, step in zip(chain.stages, chain.steps, strict=True):
        images = sum(a.startswith("image:") and a != "image:original" for a in stage.adds)
        masks = sum(a == "mask:{to}" for a in stage.adds)
        if stage.working_bytes is None:
            working = stage.megabytes_per_megavoxel * (everything if images else spatial)
        else:
            working = stage.working_bytes(step.parameters, image)
        growth = max(growth, kept + working)
        kept += _KEPT_IMAGE * images * everything + _KEPT_MASK * masks * spatial
    plane = _PLANE * _samples(image, "rows", "columns", "channels")
    return int((image["estimated_bytes"] or 0) + growth + plane)


def _samples(image: Row, *axes: str) -> int:
    """Samples along some axes; those that the image lacks count once."""
    return prod(image.get(axis) or 1 for axis in axes)
