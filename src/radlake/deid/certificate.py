"""The certificate of a cleaned folder: what was done, how often, by which rules and versions; nothing of anybody."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from radlake.deid import ledger
from radlake.deid.profiles import BASIC, OPTIONS

Form = Literal["markdown", "html", "json"]
_VERIFIED = "findings.parquet"
_LIMITS = (
    "The files are pseudonymised, not anonymous: whoever holds the key can test guesses of identities.",
    "What the options keep is still there: dates moved by a constant, characteristics of patients, safe private data.",
    "A file whose pixels are unchecked or unsure may show text about a person; a recognizable face may be in a scan of "
    "a head.",
)  # fmt: skip
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #ccc}"
    "td:last-child{text-align:right}h2{margin-top:2rem}"
)


@dataclass(frozen=True)
class Certificate:
    """What a cleaned folder can say about itself.

    Parameters
    ----------
    how : dict
        Profile, options, names, pixels, edition of the standard, key fingerprint, versions.
    files, faults, pixel_text, faces : dict
        Files by status, by reason for being set aside, by state of their pixels and of faces.
    actions : dict
        Attributes by what was done to them, all files together.
    attributes : list of (path, action, count)
        The same by attribute, the most frequent first.
    verified : int or None
        Files with findings of the verifier; None where it has not looked.
    """

    how: Mapping[str, Any]
    files: Mapping[str, int]
    faults: Mapping[str, int]
    pixel_text: Mapping[str, int]
    faces: Mapping[str, int]
    actions: Mapping[str, int]
    attributes: list[tuple[str, str, int]]
    verified: int | None

    def written(self, form: Form) -> str:
        """The certificate as Markdown, HTML or JSON."""
        if form == "json":
            return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
        return _html(self) if form == "html" else _markdown(self)

    def sections(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Titles with rows of two cells."""
        yield "How", [(name.replace("_", " "), _told(value)) for name, value in self.how.items()]
        yield "Files", _counted(self.files)
        yield "Set aside because of", _counted(self.faults)
        yield "Text in pixels", _counted(self.pixel_text)
        yield "Faces", _counted(self.faces)
        yield "Attributes by action", _counted(self.actions)
        yield "Attributes", [(f"{path} {action}", f"{count:,}") for path, action, count in self.attributes]

    @property
    def verification(self) -> str:
        """What the verifier said, as a sentence."""
        if self.verified is None:
            return "The verifier has not looked at this folder yet: radlake deidentify verify."
        if self.verified:
            return f"The verifier found something in {self.verified:,} files and set them aside."
        return "The verifier, which shares no code with the cleaning, found nothing."


def certificate(dest: Path) -> Certificate:
    """The certificate of a cleaned folder.

    Raises
    ------
    NotCleaned, DamagedLedger
        When the folder has no account of a cleaning, or it cannot be read.
    """
    run = ledger.read_run(dest)
    files = ledger.read_table(dest, "files")
    audit = ledger.read_table(dest, "audit").to_pylist()
    actions: Counter[str] = Counter()
    attributes: Counter[tuple[str, str]] = Counter()
    for row in audit:
        actions[row["action"]] += row["count"]
        attributes[row["path"], row["action"]] += row["count"]
    findings = dest / ledger.FOLDER / _VERIFIED
    return Certificate(
        {
            "profile": run.profile,
            "basic profile": " ".join(BASIC),
            "options": [" ".join(OPTIONS[name]) for name in run.options if name in OPTIONS],
            "standard": f"DICOM PS3.15 Annex E, edition {run.edition}",
            "file_names": run.names,
            "pixels": run.pixels,
            "key_fingerprint": run.key_fingerprint,
            "versions": run.versions,
        },
        _tally(files["status"].to_pylist()),
        _tally(files["fault_code"].to_pylist()),
        _tally(files["pixel_text"].to_pylist()),
        _tally(files["faces"].to_pylist()),
        _ordered(actions),
        [(path, action, n) for (path, action), n in sorted(attributes.items(), key=lambda item: (-item[1], item[0]))],
        len(set(pq.read_table(findings)["object"].to_pylist())) if findings.exists() else None,
    )


def _tally(values: list[str | None]) -> dict[str, int]:
    """How often each value is there."""
    return _ordered(Counter(value for value in values if value is not None))


def _ordered(counts: Counter[str]) -> dict[str, int]:
    """Counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Rows of a table of counts."""
    return [(name, f"{count:,}") for name, count in counts.items()]


def _told(value: Any) -> str:
    """A list or dictionary in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _markdown(found: Certificate) -> str:
    """As Markdown."""
    lines = ["# Certificate of de-identification", "", found.verification, ""]
    for title, rows in found.sections():
        if rows:
            lines += [f"## {title}", "", "| | |", "|---|---:|", *(f"| {a} | {b} |" for a, b in rows), ""]
    return "\n".join([*lines, "## What it does not say", "", *(f"- {limit}" for limit in _LIMITS), ""])


def _html(found: Certificate) -> str:
    """As a page that needs nothing else."""
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Certificate of de-identification</title>"]
    parts += [
        f"<style>{_STYLE}</style><h1>Certificate of de-identification</h1><p>{html.escape(found.verification)}</p>"
    ]
    for title, rows in found.sections():
        if rows:
            cells = "".join(f"<tr><td>{html.escape(a)}</td><td>{html.escape(b)}</td></tr>" for a, b in rows)
            parts.append(f"<h2>{html.escape(title)}</h2><table>{cells}</table>")
    limits = "".join(f"<li>{html.escape(limit)}</li>" for limit in _LIMITS)
    return "\n".join([*parts, f"<h2>What it does not say</h2><ul>{limits}</ul></html>\n"])
