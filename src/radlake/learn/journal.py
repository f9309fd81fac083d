"""What a search has finished, kept in a folder: the same call after a kill goes on there, and the time of both counts.

Every finished piece of work is one file (arrays without pickle, and facts in JSON), written as a temporary file that is
renamed; beside them lies what was allowed and how long it took.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_INDEX = "journal.json"
_FACTS = "facts"
_VIEWS = "views"
_OURS = re.compile(r"[0-9a-f]{24}\.npz|\..*\.draft|journal\.json")


def identity(digest: str, design: Mapping[str, Any]) -> str:
    """Names a search by its data and its options; the budget is none of them, so that more time can be given."""
    return hashlib.sha256(json.dumps([digest, design], sort_keys=True, default=list).encode()).hexdigest()


class Journal:
    """Finished work of one search; that of another one in the same folder is removed, other files stay.

    Parameters
    ----------
    folder : Path
        Made where needed.
    identity : str
        Of the data and the options that decide what comes out.

    Attributes
    ----------
    allowed : frozenset of str
        Pieces of work that were allowed before.
    elapsed : float
        Seconds that they took.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self.identity = folder, identity
        known = self._index()
        if known is None:
            _clear(folder)
        found = known or {"allowed": [], "elapsed": 0.0}
        self.allowed, self.elapsed = frozenset(map(str, found["allowed"])), float(found["elapsed"])

    def find(self, work: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """Arrays and facts of a piece of work; None where it is not there, or damaged."""
        try:
            with np.load(io.BytesIO(self._path(work).read_bytes()), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            return arrays, json.loads(arrays.pop(_FACTS).tobytes())
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def keep(self, work: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        """Write down a piece of work.

        Parameters
        ----------
        work : str
        arrays : mapping
        facts : mapping
            JSON values.
        """
        text = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8)
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **{**arrays, _FACTS: text})
        self._write(self._path(work), packed.getvalue())

    def note(self, allowed: Iterable[str], elapsed: float) -> None:
        """Write down what has been allowed so far, and the seconds since the beginning."""
        told = {"identity": self.identity, "allowed": sorted(allowed), "elapsed": elapsed}
        self._write(self.folder / _INDEX, json.dumps(told).encode())

    def _index(self) -> dict[str, Any] | None:
        """What was noted before; None where it is of another search, or not there."""
        try:
            found: dict[str, Any] = json.loads((self.folder / _INDEX).read_bytes())
            return found if found["identity"] == self.identity else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, work: str) -> Path:
        """File of a piece of work."""
        named = "\0".join((self.identity, work))
        return self.folder / f"{hashlib.sha256(named.encode()).hexdigest()[:24]}.npz"

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file as a whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
        draft.write_bytes(data)
        draft.replace(path)


def journal_of_views(folder: Path, digest: str) -> Journal:
    """What is seen of images, kept beside a search: it depends on the images alone, so that other searches share it.

    Parameters
    ----------
    folder : Path
        Of the search's journal.
    digest : str
        Of the images.
    """
    from importlib.metadata import version

    made_by = {name: version(name) for name in ("numpy", "torch", "opencv-python-headless")}
    return Journal(folder / _VIEWS, identity(digest, made_by))


def forget(folder: Path) -> None:
    """Remove the journal in a folder and that of views, and the folder if nothing else is in it."""
    _clear(folder / _VIEWS)
    _clear(folder)


def _clear(folder: Path) -> None:
    """Remove a journal's files, and the folder if nothing else is in it."""
    if not folder.is_dir():
        return
    for path in [path for path in folder.iterdir() if _OURS.fullmatch(path.name)]:
        path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
