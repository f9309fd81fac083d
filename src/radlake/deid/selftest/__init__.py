"""The cleaner's own examination: invented identities are planted in real DICOM files, which are cleaned and marked.

`names` invents, `plant` hides and keeps the answer key, `score` marks one file by the ten actions of the MIDI-B
challenge (Rutherford et al. 2025), `run` does it for a folder and adds what only shows between files and processes.
"""

from __future__ import annotations

from radlake.deid.selftest.run import Marks, selftest

__all__ = ["Marks", "selftest"]
