"""The page: every section's numbers put into one HTML file that asks nothing of the network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from radlake.core.place import Place
from radlake.lake.durable import write_bytes
from radlake.lake.errors import storage_errors
from radlake.lake.store import Lake
from radlake.report import cohort, evidence, groups, measures, origin, problems, wording
from radlake.report.tables import look

_FILTERS = {
    function.__name__: function
    for function in (
        wording.count,
        wording.number,
        wording.fixed,
        wording.size,
        wording.duration,
        wording.short,
        wording.plural,
        wording.words,
    )
}


def write(lake: Lake) -> Place:
    """Write LAKE/report/index.html from the lake's tables and previews, and return its path.

    The same tables give the same bytes, but for what stands in wall-clock columns. The old page stays until the new one
    is whole.

    Parameters
    ----------
    lake : Lake

    Raises
    ------
    LakeError
        When the disk fails.
    """
    page = lake.report / "index.html"
    with storage_errors():
        write_bytes(page, render(contents(lake)).encode("utf-8"))
    return page


def contents(lake: Lake) -> dict[str, Any]:
    """What the template shows, by section."""
    with look(lake) as tables:
        return {
            "overview": cohort.overview(tables),
            "formats": cohort.formats(tables),
            "modalities": cohort.modalities(tables),
            "people": cohort.demographics(tables),
            "cards": cohort.gallery(tables, lake.objects.get),
            "quality": problems.quality(tables),
            "aside": problems.aside(tables),
            "duplicates": problems.duplicates(tables),
            "measures": measures.measures(tables),
            "groups": groups.groups(tables),
            "studies": evidence.studies(tables, lake.objects.get),
            "privacy": origin.privacy(tables, lake.facts),
            "compute": origin.compute(tables),
        }


def render(sections: Mapping[str, Any]) -> str:
    """The report as text. Whatever comes from tables is escaped; figures and the page's own parts are markup."""
    return render_page("index.html", sections)


def render_page(template: str, sections: Mapping[str, Any]) -> str:
    """One of the templates as a page of its own."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("radlake.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= _FILTERS
    script = _own("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return environment.get_template(template).render(
        **sections, style=_own("style.css"), script=script, script_digest=digest
    )


def _own(name: str) -> str:
    """Text of a file beside the templates."""
    return files("radlake.report").joinpath("templates", name).read_text("utf-8")
