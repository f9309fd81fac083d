"""The verifier: an independent look at cleaned files for what could still tell whose they are.

It shares no code, list or rule with the cleaner in this room, so that a mistake there is not repeated here: identifiers
come from the sources (`sources`), words that are nobody's from the standard's own dictionaries (`needles`), and the
rest is shape (`shapes`). One module for each kind of file says where texts can hide in it; `folder` walks, sets aside
and writes rows. What is found is told by its kind and place, never by its value.
"""

from __future__ import annotations

from radlake.deid.verify.folder import Report, verify
from radlake.deid.verify.leak import Leak

__all__ = ["Leak", "Report", "verify"]
