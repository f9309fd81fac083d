"""What can go wrong with a lake as a whole, named for the problem. Problems of one input are faults, not errors.

    RadlakeError
    └── LakeError                    message says what was expected and what to do
        ├── NotALakeError            the folder holds something else, or nothing
        ├── FormatVersionError       written by a newer or by an older radlake
        ├── KeyMismatchError         another key made the pseudonyms in this lake
        ├── DeidentificationError    a lake of cleaned and one of raw identities do not mix
        ├── LakeLockedError          somebody else is writing
        ├── NotWritableError         no permission, or a read-only place
        ├── DiskFullError            no room left, or a quota or file size limit was met
        ├── StorageError             any other failure of the disk or of a table's log
        ├── DamagedPartError         a part is missing, cut short or has another schema
        ├── PrivatePartError         private/ is absent, unreadable or open to others
        ├── SqlError                 the query; the message is DuckDB's
        ├── UnknownIdError           nothing in the lake has this id
        └── ReleaseError             the lake or the destination may not be released

`NotALakeError`, `SqlError` and `UnknownIdError` are also a `UsageError`: the request was wrong, not the lake.
Messages name no path and no value of a file: the caller knows which lake was meant.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from radlake.core.errors import RadlakeError, UsageError


class LakeError(RadlakeError):
    """A lake cannot do what was asked."""


class NotALakeError(LakeError, UsageError):
    """The folder holds no lake."""


class FormatVersionError(LakeError):
    """The lake's layout is of another version than this radlake's."""


class KeyMismatchError(LakeError):
    """The lake was made with another key."""


class DeidentificationError(LakeError):
    """The lake was created with the other kind of identities."""


class LakeLockedError(LakeError):
    """Another process holds the lake's writing lock."""


class NotWritableError(LakeError):
    """The place where the lake lies may not be written."""


class DiskFullError(LakeError):
    """There is no room for what should be written."""


class StorageError(LakeError):
    """The disk or a table's log failed in another way."""


class DamagedPartError(LakeError):
    """A part is not what its writer said it is."""


class PrivatePartError(LakeError):
    """The private part cannot be used."""


class SqlError(LakeError, UsageError):
    """A query was refused or failed."""


class UnknownIdError(LakeError, UsageError):
    """No row has this id."""


class ReleaseError(LakeError):
    """Nothing was released."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
# delta-rs reports the operating system's error as text: "... No space left on device (os error 28) ..."
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn errors of the operating system and of the Delta library into those above.

    Raises
    ------
    DiskFullError, NotWritableError, StorageError
        By the system's error number, also where the library hands it on as text only.

    Examples
    --------
    >>> with storage_errors():
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    radlake.lake.errors.DiskFullError: no room left on the disk: free some space and run again; nothing is lost
    """
    try:
        yield
    except LakeError:
        raise
    except Exception as error:
        if not _of_storage(error):
            raise
        raise _translated(_number(error)) from error


def _of_storage(error: Exception) -> bool:
    """Whether the error comes from the disk or the Delta library; the latter is not imported for asking."""
    return isinstance(error, OSError) or type(error).__module__.split(".")[0] in ("deltalake", "_internal")


def _number(error: Exception) -> int | None:
    """The system's error number, from the exception or from its text."""
    if isinstance(error, OSError) and error.errno:
        return error.errno
    found = _OS_ERROR.search(str(error))
    return int(found[1]) if found else None


def _translated(number: int | None) -> LakeError:
    """The error for a number."""
    if number in _FULL:
        return DiskFullError("no room left on the disk: free some space and run again; nothing is lost")
    if number in _FORBIDDEN:
        return NotWritableError(
            "the lake may not be written here: check the folder's permissions, or the store's credentials"
        )
    name = errno.errorcode.get(number, str(number)) if number else "the table's log"
    return StorageError(
        f"the lake's storage failed ({name}): check the disk, or the connection to the store, and run again; "
        "nothing is lost"
    )
