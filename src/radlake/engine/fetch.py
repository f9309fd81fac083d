"""Published data sets by name: where they are, under which licence, and whether a file is the published one."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radlake.core.errors import RadlakeError, UsageError
from radlake.engine.registry import UnknownName
from radlake.lake.durable import write_bytes

_TIMEOUT_S = 60
_LARGEST = 1 << 30


class NotFetched(RadlakeError):  # noqa: N818 - names the problem
    """The data set could not be had; the message says why and what to do."""


@dataclass(frozen=True)
class Published:
    """A data set.

    Parameters
    ----------
    url, md5 : str
        As its publisher gives them.
    licence, cite : str
    counts : tuple of int
        Images for training, validation and test.
    shape : tuple of int
        Of one image.
    classes : int
    """

    url: str
    md5: str
    licence: str
    cite: str
    counts: tuple[int, int, int]
    shape: tuple[int, ...]
    classes: int


_MEDMNIST = "https://zenodo.org/records/10519652/files/{}.npz?download=1"
_CITE = "Yang et al. (2023), MedMNIST v2, Scientific Data 10:41"
SETS: dict[str, Published] = {
    "medmnist/breastmnist": Published(
        _MEDMNIST.format("breastmnist"), "750601b1f35ba3300ea97c75c52ff8f6", "CC BY 4.0", _CITE, (546, 78, 156),
        (28, 28), 2,
    ),
    "medmnist/pneumoniamnist": Published(
        _MEDMNIST.format("pneumoniamnist"), "28209eda62fecd6e6a2d98b1501bb15f", "CC BY 4.0", _CITE, (4708, 524, 624),
        (28, 28), 2,
    ),
    "medmnist/adrenalmnist3d": Published(
        _MEDMNIST.format("adrenalmnist3d"), "bbd3c5a5576322bc4cdfea780653b1ce", "CC BY 4.0", _CITE, (1188, 98, 298),
        (28, 28, 28), 2,
    ),
}  # fmt: skip


def fetch(name: str, out: Path | None = None, *, local: Path | None = None) -> tuple[Path, str]:
    """Put a published data set into a file, and say what is known about that file.

    A download must have the published checksum. A local copy may have been saved again: then its numbers of images and
    classes must be the published ones, and the answer says that the pixels could not be checked.

    Parameters
    ----------
    name : str
        In `SETS`.
    out : Path, optional
        By default the set's own name in the current folder.
    local : Path, optional
        A copy that is there already.

    Returns
    -------
    (path, words)

    Raises
    ------
    UsageError
        When there is no such set or copy.
    NotFetched
        Without a network, or when the file is another one.
    """
    if name not in SETS:
        raise UnknownName("data set", name, list(SETS))
    found = SETS[name]
    place = out or Path(f"{name.rsplit('/', 1)[1]}.npz")
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.npz"
        if local is None:
            _download(name, found.url, draft)
        elif local.is_file():
            shutil.copyfile(local, draft)
        else:
            raise UsageError(f"there is no file {str(local)!r}")
        digest = hashlib.md5(draft.read_bytes(), usedforsecurity=False).hexdigest()
        words = "its checksum is the published one"
        if digest != found.md5:
            if local is None:
                raise NotFetched("what came is not the published file: its checksum differs; try again, or use --from")
            _check_content(draft, found)
            words = "saved again: its numbers of images and classes are the published ones, its pixels are not checked"
        write_bytes(place, draft.read_bytes())
    return place, words


def _download(name: str, url: str, draft: Path) -> None:
    """The file from its publisher."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer, draft.open("wb") as file:  # noqa: S310 - https
            file.write(answer.read(_LARGEST))
    except (urllib.error.URLError, TimeoutError, OSError):
        raise NotFetched(
            f"the publisher cannot be reached; download {url} on a machine with a network, then: radlake fetch {name}"
            " --from FILE.npz"
        ) from None


def _check_content(draft: Path, found: Published) -> None:
    """Whether a file holds as many images and classes as were published."""
    try:
        with np.load(draft, allow_pickle=False) as arrays:
            for role, count in zip(("train", "val", "test"), found.counts, strict=True):
                images, labels = arrays[f"{role}_images"], arrays[f"{role}_labels"]
                if images.shape != (count, *found.shape) or labels.size != count:
                    raise NotFetched(
                        f"the file is another one: expected {count} {role} images of {found.shape}, found an array"
                        f" {images.shape}"
                    )
                if len(np.unique(labels)) != found.classes:
                    raise NotFetched(f"the file is another one: expected {found.classes} classes in {role}")
    except (OSError, ValueError, KeyError):
        raise NotFetched("the file is no archive of arrays with train, val and test images and labels") from None
