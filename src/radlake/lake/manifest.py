"""LAKE/lake.json: which layout the lake has, which key made its pseudonyms, whether identities were removed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from radlake.core.place import Place
from radlake.lake.durable import write_bytes
from radlake.lake.errors import DeidentificationError, FormatVersionError, NotALakeError, storage_errors

FILE_NAME = "lake.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Manifest:
    """What lake.json says.

    Parameters
    ----------
    key_fingerprint : str
        Of the key behind the pseudonyms; the key itself is never in a lake.
    deidentified : bool
        False for a lake whose identities were kept on request; it cannot be released.
    private_inside : bool
        Whether the private part is LAKE/private. Elsewhere it is named at each opening, not here.
    format_version : int
        Of the layout of folders and tables.
    """

    key_fingerprint: str
    deidentified: bool = True
    private_inside: bool = True
    format_version: int = FORMAT_VERSION


def write(root: Place, manifest: Manifest) -> None:
    """Write lake.json whole."""
    with storage_errors():
        write_bytes(root / FILE_NAME, (json.dumps(asdict(manifest), indent=2) + "\n").encode())


def read(root: Place) -> Manifest:
    """Read lake.json.

    Raises
    ------
    NotALakeError
        When there is none, or it is not one of radlake's.
    FormatVersionError
        When a newer or an older radlake wrote it.
    """
    path = root / FILE_NAME
    try:
        with storage_errors():
            data = json.loads(path.read_bytes()) if path.is_file() else {}
        _check_version(data["format_version"])
        return Manifest(**data)
    except (ValueError, TypeError, KeyError) as error:
        raise NotALakeError(f"the folder holds no lake ({FILE_NAME} is missing or damaged)") from error


def refuse_other_content(root: Place) -> None:
    """A new lake begins in an empty folder; names that start with a dot do not count."""
    if root.is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
        raise NotALakeError("the folder is not empty and holds no lake: name a new folder")


def check_identities(facts: Manifest, deidentified: bool) -> None:
    """Refuse to continue a lake with another kind of identities."""
    if facts.deidentified != deidentified:
        kind = "removes" if facts.deidentified else "keeps"
        raise DeidentificationError(f"the lake {kind} identities: run with the same setting, or name a new lake")


def _check_version(version: int) -> None:
    """Refuse other layouts."""
    if version > FORMAT_VERSION:
        raise FormatVersionError(f"the lake has layout {version}, this radlake knows {FORMAT_VERSION}: upgrade radlake")
    if version < FORMAT_VERSION:
        raise FormatVersionError(
            f"the lake has the older layout {version}, this radlake writes {FORMAT_VERSION}: run the same inputs into "
            "a new lake; its tables stay readable with any Delta reader"
        )
