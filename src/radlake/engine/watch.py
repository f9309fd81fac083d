"""Files that arrive: when one is complete, and runs over what has come.

What is taken up exactly once is kept by the lake, as in every run: a watch that is killed and started again only looks
again. A copy under way is recognised by a temporary name, or by size and time that still change between two looks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from radlake.core.place import Place
from radlake.engine.inputs import Found, walk
from radlake.engine.run import Summary
from radlake.lake.errors import LakeLockedError

# Names of files that are still being copied: by rsync and Windows (first), browsers, FTP clients, synchronisers.
_TEMPORARY = re.compile(r"(\.|~\$).*|.*(~|\.(part|partial|filepart|tmp|temp|crdownload|download|!sync))", re.IGNORECASE)


@dataclass
class Arrivals:
    """Which files are complete: those that looked the same for long enough.

    Parameters
    ----------
    settle_s : float
        How long size and time must stand still.

    Examples
    --------
    >>> arrivals = Arrivals(settle_s=10.0)
    >>> file = Found("/in/a.dcm", 100, 1)
    >>> arrivals.look([file], 0.0), arrivals.look([file], 10.0), arrivals.look([file], 20.0)
    ([], ['/in/a.dcm'], [])
    """

    settle_s: float
    _waiting: dict[str, tuple[str, float]] = field(default_factory=dict)
    _taken: dict[str, str] = field(default_factory=dict)

    def look(self, found: Iterable[Found], now: float) -> list[str]:
        """Addresses of files that have become complete since the last look.

        Parameters
        ----------
        found : iterable of Found
            All files that are there.
        now : float
            Seconds of a clock that only goes forward.
        """
        waiting: dict[str, tuple[str, float]] = {}
        complete = []
        for file in found:
            if self._taken.get(file.uri) == file.input_key or _is_temporary(file.uri):
                continue
            key, since = self._waiting.get(file.uri, ("", now))
            if key == file.input_key and now - since >= self.settle_s:
                complete.append(file.uri)
                self._taken[file.uri] = file.input_key
            else:
                waiting[file.uri] = (file.input_key, since if key == file.input_key else now)
        self._waiting = waiting
        return complete

    def give_back(self, uris: Iterable[str]) -> None:
        """Files that could not be taken up now: they are complete at the next look that is late enough."""
        for uri in uris:
            self._taken.pop(uri, None)


def watch(
    begin: Callable[[list[str]], Summary],
    folders: Sequence[str | Place],
    *,
    every_s: float,
    settle_s: float,
    idle_s: float | None = None,
) -> Iterator[tuple[int, Summary]]:
    """Look again and again, and do a run over what has become complete; yield its number of files and summary.

    Parameters
    ----------
    begin : callable
        Does a run over some files.
    folders : sequence of paths or URIs
    every_s : float
        Seconds from one look to the next.
    settle_s : float
        See `Arrivals`.
    idle_s : float, optional
        Ends when nothing was there to take up for so long; by default it goes on until it is interrupted.

    Raises
    ------
    NoInput
        When a folder does not exist, or goes away.
    """
    arrivals = Arrivals(settle_s)
    worked = time.monotonic()
    while idle_s is None or time.monotonic() - worked < idle_s:
        complete = arrivals.look(walk(folders), time.monotonic())
        if complete:
            try:
                summary = begin(complete)
            except LakeLockedError:  # another run is at work: these wait for it
                arrivals.give_back(complete)
            else:
                worked = time.monotonic()
                yield len(complete), summary
        time.sleep(every_s)


def _is_temporary(uri: str) -> bool:
    """Whether a file's name says that it is still being copied."""
    return _TEMPORARY.fullmatch(uri.rpartition("/")[2]) is not None
