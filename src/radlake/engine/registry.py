"""Every stage that a pipeline can name: the rooms' written-out tables, and those of outside packages."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from radlake.core.errors import UsageError
from radlake.core.stage import Stage

_TABLES = (
    "formats.stages",
    "deid.stages",
    "imaging.stages",
    "quality.stages",
    "features.stages",
    "features.stability_stages",
    "learn.stages",
    "learn.model_stages",
    "learn.groups",
    "engine.nodules",
    "engine.predict",
    "engine.remeasure",
)
ENTRY_POINT_GROUP = "radlake.stages"


class UnknownName(UsageError):  # noqa: N818 - names the problem
    """A name that nothing has; the message suggests the nearest one."""

    def __init__(self, what: str, name: str, known: list[str], *, of: str = "", meant: str | None = None):
        near = [meant] if meant else difflib.get_close_matches(name, known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        super().__init__(f"unknown {what} {name!r}{of}; {advice}")


@cache
def stages() -> dict[str, Stage]:
    """All stages by name. Imports the rooms, so not before work begins.

    Entry points of the group "radlake.stages" name dictionaries like the rooms' own; they cannot replace a stage of
    radlake's.
    """
    found: dict[str, Stage] = {}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        found.update(entry.load())
    for table in _TABLES:
        found.update(_of_room(table))
    return found


def _of_room(table: str) -> dict[str, Stage]:
    """The stages that a room lists."""
    known: dict[str, Stage] = import_module(f"radlake.{table}").STAGES
    return known


def stage(name: str) -> Stage:
    """The stage of that name.

    Raises
    ------
    UnknownName
        With the nearest known name.
    """
    # Room by room, those that learn last: they take a second to import.
    for table in sorted(_TABLES, key=lambda t: t.startswith("learn.")):
        if name in (here := _of_room(table)):
            return here[name]
    known = stages()
    if name not in known:
        raise UnknownName("step", name, list(known))
    return known[name]
