"""radlake: from a folder of medical scans to a de-identified, quality-checked, searchable cohort and its models.

The names below are doors: importing radlake imports none of the rooms, using a name imports the one it needs.

    >>> import radlake as rl
    >>> study = rl.Pipeline("ct", [rl.step("deid"), rl.step("quality")])
    >>> [s.stage for s in study.steps]
    ['deid', 'quality']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radlake.core.errors import RadlakeError as RadlakeError
    from radlake.core.fault import ItemError as ItemError
    from radlake.core.image import Geometry as Geometry
    from radlake.core.image import Image as Image
    from radlake.core.place import Place
    from radlake.engine.api import run as run
    from radlake.engine.local import Local as Local
    from radlake.engine.pipeline import Pipeline as Pipeline
    from radlake.engine.pipeline import step as step
    from radlake.engine.spark import Spark as Spark
    from radlake.formats.read import read_image as read_image
    from radlake.lake.store import Lake as Lake

__version__ = "0.1.0"

_DOORS = {
    "Geometry": "core.image",
    "Image": "core.image",
    "ItemError": "core.fault",
    "Lake": "lake.store",
    "Local": "engine.local",
    "Pipeline": "engine.pipeline",
    "RadlakeError": "core.errors",
    "Spark": "engine.spark",
    "read_image": "formats.read",
    "run": "engine.api",
    "step": "engine.pipeline",
}
__all__ = [*_DOORS, "__version__", "open_lake"]  # noqa: PLE0604 - the doors are names of this module


def open_lake(root: str | Place, *, private: str | Place | None = None) -> Lake:
    """An existing lake, to read and to ask in SQL.

    Parameters
    ----------
    root : path or URI
        Folder of the lake.
    private : path or URI, optional
        Folder of the private part, if not inside the lake.

    Raises
    ------
    radlake.lake.errors.NotALakeError
        When the folder holds no lake.
    """
    from radlake.lake.store import Lake

    return Lake.open(root, private=private)


def __getattr__(name: str) -> Any:
    """Import a door's room when it is first used (PEP 562)."""
    if name not in _DOORS:
        raise AttributeError(f"module 'radlake' has no attribute {name!r}")
    return getattr(import_module(f"radlake.{_DOORS[name]}"), name)


def __dir__() -> list[str]:
    """All public names, imported or not."""
    return sorted(__all__)
