from __future__ import annotations

import errno

import pytest

from radlake.lake.errors import (
    DiskFullError,
    LakeLockedError,
    NotWritableError,
    StorageError,
    storage_errors,
)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EFBIG, DiskFullError),
        (errno.EACCES, NotWritableError),
        (errno.EROFS, NotWritableError),
        (errno.EIO, StorageError),
    ],
)
def test_errors_of_the_system_become_errors_of_the_lake(number: int, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, storage_errors():
        raise OSError(number, "text of the system", "/home/somebody/patient")
    assert "patient" not in str(caught.value)


def test_error_numbers_are_found_in_the_text_of_the_delta_library() -> None:
    text = "Generic LocalFileSystem error: Unable to copy data to file: No space left on device (os error 28)"
    with pytest.raises(DiskFullError), storage_errors():
        raise OSError(text)


def test_errors_without_a_number_are_still_storage_errors() -> None:
    with pytest.raises(StorageError, match="the table's log"), storage_errors():
        raise OSError("something else")


def test_bugs_and_errors_of_the_lake_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), storage_errors():
        _ = 1 // 0
    with pytest.raises(LakeLockedError), storage_errors():
        raise LakeLockedError("held")
