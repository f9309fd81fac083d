"""De-identification: keyed pseudonyms, closed lists for values, cleaned texts, and what pixels may show.

A `Header` with raw identities enters, rows of the shareable tables leave. Whole DICOM data sets and files are cleaned
by PS3.15 Annex E:

    from radlake import deid
    clean, audit = deid.deidentify(dataset, profile="research", key=key)

Everything here is a pure function of its arguments and the owner's key; only `keys` and `dataset_file` touch the disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radlake.deid.account import AuditRow
    from radlake.deid.dataset import deidentify
    from radlake.deid.dataset_file import deidentify_file

__all__ = ["AuditRow", "deidentify", "deidentify_file"]


def __getattr__(name: str) -> Any:
    """The cleaners on first use: they need pydicom, and the rest of this room does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radlake.deid import account, dataset, dataset_file

    rooms = {"AuditRow": account, "deidentify": dataset, "deidentify_file": dataset_file}
    return getattr(rooms[name], name)
