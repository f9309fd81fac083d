"""Content-addressed files: small results that are no rows, such as previews and masks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from radlake.core.place import Place
from radlake.lake.durable import write_bytes
from radlake.lake.errors import storage_errors

_SUFFIX = re.compile(r"(\.[a-z0-9]{1,8}){0,3}")
_REFERENCE = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}(\.[a-z0-9]{1,8}){0,3}")


@dataclass(frozen=True)
class ObjectStore:
    """Files named by the SHA-256 of their bytes; `radlake.core.stage.Objects`. Any number of processes may share it.

    Parameters
    ----------
    root : Path or Remote
        Folder of the store; made at the first `put`.
    """

    root: Place

    def put(self, data: bytes, suffix: str) -> str:
        """Write once and return the reference.

        Parameters
        ----------
        data : bytes
        suffix : str
            Such as ".png" or ".nii.gz"; empty for none.

        Returns
        -------
        str
            "ab/abcd....png", the same for the same bytes and suffix.

        Raises
        ------
        ValueError
            When the suffix is not made of dots, lower-case letters and digits.
        DiskFullError, NotWritableError, StorageError
        """
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError("suffix must be like '.png' or '.nii.gz'")
        digest = hashlib.sha256(data).hexdigest()
        reference = f"{digest[:2]}/{digest}{suffix}"
        path = self.root / reference
        with storage_errors():
            if not path.exists():  # names are published whole, so one that exists is complete
                write_bytes(path, data)
        return reference

    def get(self, reference: str) -> bytes:
        """Bytes of an object.

        Raises
        ------
        FileNotFoundError
            When there is none; also for text that is no reference at all.
        """
        return self.path(reference).read_bytes()

    def path(self, reference: str) -> Place:
        """Where an object lies.

        Raises
        ------
        FileNotFoundError
            When the text is no reference, so that none can point outside the store.
        """
        if not _REFERENCE.fullmatch(reference):
            raise FileNotFoundError("not a reference of the object store")
        return self.root / reference
