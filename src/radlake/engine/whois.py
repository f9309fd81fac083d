"""For the owner of private/: from a pseudonym back to the files, and to the identifiers that these hold."""

from __future__ import annotations

from collections.abc import Iterator

from radlake.core.fault import ItemError
from radlake.core.header import Header
from radlake.deid.keys import fingerprint
from radlake.deid.pseudonyms import ids
from radlake.formats import scan_file
from radlake.formats.source import Source
from radlake.lake.errors import UnknownIdError
from radlake.lake.store import Lake

_COLUMNS = {
    "pt": "patient_id",
    "st": "study_id",
    "se": "series_id",
    "in": "instance_id",
    "fi": "file_id",
    "ac": "accession_id",
}
_SHOWN = {
    "PatientID": "patient_id",
    "Issuer": "issuer",
    "AccessionNumber": "accession",
    "StudyInstanceUID": "study_uid",
    "SeriesInstanceUID": "series_uid",
}


def whois(lake: Lake, pseudonym: str, key: bytes, *, most_files: int = 20) -> Iterator[str]:
    """Lines that tell who or what a pseudonym is: identifiers read again from a source, then the paths.

    Parameters
    ----------
    lake : Lake
        With its private part at hand.
    pseudonym : str
        A patient, study, series, instance, accession or file of the lake.
    key : bytes
        The owner's secret.
    most_files : int
        Paths to list at most.

    Raises
    ------
    UnknownIdError
        When the lake has no such pseudonym.
    PrivatePartError
        When the private part may not be read.
    KeyMismatchError
        When the lake was made with another key.
    """
    column = _COLUMNS.get(pseudonym[:2])
    lake.exists("sources")  # says so when the private part may not be read
    if column is None or not pseudonym[3:].isalnum():
        known = ", ".join(f"{prefix}-" for prefix in sorted(_COLUMNS))
        raise UnknownIdError(f"expected a pseudonym that begins with one of {known}")
    lake.require_key(fingerprint(key))
    # A file that nothing could read has a source and no instances.
    places = lake.sql(
        f"SELECT DISTINCT s.file_id, s.uri FROM private.sources s LEFT JOIN instances i USING (file_id) "
        f"WHERE {'s' if column == 'file_id' else 'i'}.{column} = '{pseudonym}' ORDER BY s.uri"
    ).to_pylist()
    if not places:
        raise UnknownIdError("nothing in the lake has this pseudonym")
    yield from _identifiers(places[0], column, pseudonym, key)
    yield f"{len(places):,} file{'s' * (len(places) != 1)}:"
    yield from (f"  {place['uri']}" for place in places[:most_files])
    if len(places) > most_files:
        yield f"  and {len(places) - most_files:,} more"


def _identifiers(place: dict[str, str], column: str, pseudonym: str, key: bytes) -> Iterator[str]:
    """Raw identifiers of the first member that the pseudonym stands for."""
    try:
        headers = scan_file(Source(place["uri"]))
    except ItemError as error:
        yield f"its source cannot be read: {error}"
        return
    for header in headers:
        if column == "file_id" or _stands_for(header, place["file_id"], column, pseudonym, key):
            yield from (
                f"{name}: {value}" for name, field in _SHOWN.items() if (value := getattr(header.identity, field))
            )
            return


def _stands_for(header: Header, file_id: str, column: str, pseudonym: str, key: bytes) -> bool:
    """Whether a member's pseudonym in that column is the one asked for."""
    known = ids(key, header.identity, file_id=file_id, member=header.member)
    return getattr(known, column, None) == pseudonym
