"""Names of regions as the user asks for them: patterns, and a table that gives one name to many spellings."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from radlake.core.errors import UsageError

Aliases = Mapping[str, str]  # pattern of a name in the files -> name to use
_COLUMNS = ["pattern", "name"]


class BadAliases(UsageError):  # noqa: N818 - names the problem
    """A table of aliases that cannot be read."""


def read_aliases(path: Path) -> dict[str, str]:
    """Aliases from a CSV file with the columns pattern and name, such as ``gtv*,tumor``.

    Raises
    ------
    BadAliases
        When the file cannot be read or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames is None or not set(_COLUMNS) <= set(reader.fieldnames):
                raise BadAliases("the table of aliases needs the columns 'pattern' and 'name', as in: gtv*,tumor")
            return {row["pattern"].strip().lower(): row["name"].strip() for row in reader if row["pattern"]}
    except OSError as error:
        raise BadAliases(f"the table of aliases cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise BadAliases("the table of aliases is no CSV text in UTF-8") from None


def called(name: str, aliases: Aliases) -> str:
    """The name that a region goes by: that of the first alias whose pattern fits, else its own.

    Examples
    --------
    >>> called("gtv_1", {"gtv*": "tumor"}), called("lung_left", {"gtv*": "tumor"})
    ('tumor', 'lung_left')
    """
    return next((alias for pattern, alias in aliases.items() if fnmatchcase(name.lower(), pattern)), name)


def fits(name: str, wanted: Sequence[str], aliases: Aliases) -> bool:
    """Whether one of the patterns asked for fits a region's name, or the one it goes by; all do where none is asked.

    Examples
    --------
    >>> fits("gtv_1", ["Tumor"], {"gtv*": "tumor"}), fits("gtv_1", ["ptv*", "liver"], {})
    (True, False)
    """
    names = {name.lower(), called(name, aliases).lower()}
    return not wanted or any(fnmatchcase(n, pattern.lower()) for n in names for pattern in wanted)


def listed(names: Iterable[str], most: int = 20) -> str:
    """Different names in alphabetical order, as a message shows them.

    Examples
    --------
    >>> listed(["b", "a", "b"])
    'a, b'
    """
    distinct = sorted(set(names))
    return ", ".join(distinct[:most]) + (f" and {len(distinct) - most} more" if len(distinct) > most else "")
