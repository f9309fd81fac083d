"""`rl.run`: a study over folders into a lake, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from radlake.core.place import Place
from radlake.deid.keys import fingerprint, load_key
from radlake.engine.inputs import absolute, require
from radlake.engine.local import Local
from radlake.engine.options import Engine, Options, Progress, Silent
from radlake.engine.parameters import check_pattern
from radlake.engine.pipeline import DEFAULT, Pipeline
from radlake.engine.run import Summary
from radlake.engine.run import run as drive
from radlake.lake.store import Lake


def run(  # noqa: PLR0913 - the options of a run, by keyword
    study: Pipeline | None,
    source: str | Place | Sequence[str | Place],
    out: str | Place,
    *,
    engine: Engine | None = None,
    key_file: str | Path | None = None,
    private: str | Place | None = None,
    patient_regex: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Summary:
    """Take everything under `source` into the lake `out`, by the study's steps.

    Parameters
    ----------
    study : Pipeline or None
        None: the default study.
    source : path, URI, or sequence of these
        Files or folders.
    out : path or URI
        Folder of the lake; made where it does not exist.
    engine : Local or Spark, optional
        Local with all cores by default.
    key_file : path, optional
        File with the key for pseudonyms; the user's own by default, made at first use.
    private : path or URI, optional
        Folder of the private part; inside the lake by default, which an object store cannot offer.
    patient_regex : str, optional
        Pattern on the path whose first group names the patient, for formats that hold no PatientID.
    strict : bool
        Stop at the first unforeseen problem.
    progress : Progress, optional
        Nothing is said by default.

    Returns
    -------
    Summary

    Raises
    ------
    UsageError
        Before the lake is made: for a study, a pattern or an input that cannot be.
    RadlakeError
        When the run cannot start or finish; what was committed stays, and the next run goes on from there.
    """
    chosen = study or DEFAULT
    chosen.check()
    folders = [source] if isinstance(source, str | Place) else list(source)
    require(folders)
    check_pattern(patient_regex)
    key = load_key(Path(key_file) if key_file else None, create=True)
    private = None if private is None else absolute(private)  # workers of a cluster stand elsewhere
    lake = Lake.create(absolute(out), private=private, key_fingerprint=fingerprint(key))
    known = str(Path(key_file).expanduser().absolute()) if key_file else ""
    options = Options(engine or Local(), patient_regex, strict, progress or Silent(), known)
    return drive(chosen, folders, lake, key, options)
