"""The page as a whole: complete, escaped, alone, the same for the same tables, and good in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from radlake.lake.errors import StorageError
from radlake.lake.journal import Change
from radlake.lake.parts import write_part
from radlake.lake.store import Lake
from radlake.report import page as room
from radlake.report.page import contents, render, write
from tests.report.conftest import HOSTILE, cohort_rows, fill, hostile_rows, picture, series_rows

SECTIONS = (
    "glance", "cohort", "series", "quality", "aside", "duplicates", "features", "models", "privacy", "compute",
)  # fmt: skip
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Outline(HTMLParser):
    """Open elements, ids, attributes and links of a page; `problems` says where tags do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.problems: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.tags: Counter[str] = Counter()
        self.headless = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.ids.update(v for name, v in attrs if name == "id" and v)
        self.links += [v for name, v in attrs if name in ("href", "src", "action") and v]
        self.headless += tag == "th" and "scope" not in dict(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")


def outline(html: str) -> Outline:
    """A page read by Python's parser."""
    read = Outline()
    read.feed(html)
    read.close()
    return read


@pytest.fixture(scope="module")
def html(cohort: Lake) -> str:
    """The page of the small cohort."""
    return write(cohort).read_text("utf-8")


def test_the_page_lies_in_the_lake(cohort: Lake) -> None:
    assert write(cohort) == cohort.root / "report" / "index.html"


def test_the_page_is_well_formed_and_has_every_section(html: str) -> None:
    found = outline(html)
    assert not found.problems
    assert not found.open
    assert set(SECTIONS) <= set(found.ids)
    assert max(found.ids.values()) == 1
    assert all(found.tags[t] == 1 for t in ("main", "nav", "header", "h1"))


def test_the_page_loads_nothing(html: str) -> None:
    found = outline(html)
    assert all(link.startswith(("#", "data:")) for link in found.links)
    assert not re.search(r"https?://|url\(|@import", html)
    assert "default-src 'none'" in html


def test_links_lead_to_sections(html: str) -> None:
    found = outline(html)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)


def test_pictures_and_tables_can_be_read_aloud(html: str) -> None:
    assert not re.search(r"<img(?![^>]*\balt=)", html)
    assert html.count("<svg") == html.count("<title>") - 1
    assert outline(html).headless == 0


def test_numbers_reach_the_page(html: str) -> None:
    for said in ("30 input files", "26 used", "expected 5 slices, found 4", "1 cluster across patients"):
        assert said in html
    assert html.count('src="data:image/png;base64,') == 12
    assert html.count("not shown: pixel text unchecked") == 3
    assert "It shows what it shows." in html


@pytest.mark.parametrize("kept", [True, False])
def test_a_lake_with_identities_says_so(tmp_path: Path, kept: bool) -> None:
    lake = Lake.create(tmp_path / "lake", key_fingerprint="f274", deidentified=not kept)
    assert ("Identities were kept" in render(contents(lake))) is kept


def test_an_empty_lake_has_a_whole_page(empty: Lake) -> None:
    html = write(empty).read_text("utf-8")
    found = outline(html)
    assert not found.problems
    assert set(SECTIONS) <= set(found.ids)
    assert found.tags["svg"] == found.tags["img"] - 1 == 0  # the viewer has an empty picture
    for said in ("This lake is empty", "No series could be built", "No model was asked for", "No run is recorded"):
        assert said in html


def test_texts_from_tables_are_escaped(empty: Lake) -> None:
    fill(empty, hostile_rows(empty))
    html = write(empty).read_text("utf-8")
    assert HOSTILE not in html
    assert html.count("<script>") == 1
    assert "<img src=http" not in html
    assert html.count("&lt;script&gt;") > 10
    assert html.count("<article") == 1
    assert not outline(html).problems


def test_neither_ids_in_full_nor_free_texts_nor_paths_reach_the_page(empty: Lake) -> None:
    rows = cohort_rows(empty)
    long = "pt-abcdefghijklmnopqrstuvwx"
    for row in (*rows["series"], *rows["images"], *rows["duplicates"]):
        row["patient_id"] = long
    rows["documents"] = [{"owner": "d", "name": "finding", "value": "the secret text", "path": "a/b", "source": "sr"}]
    rows["labels"] = [
        {"owner": "l", "unit": "image", "unit_id": "im-ct00000", "target": "t", "text": "the secret text"}
    ]
    rows["clinical"] = [{"owner": "c", "patient_id": long, "name": "n", "value": "the secret text"}]
    html = write(fill(empty, rows)).read_text("utf-8")
    assert "the secret text" not in html
    assert long not in html
    assert str(empty.root) not in html


def test_the_same_rows_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    pages = []
    for turn, name in ((1, "a"), (-1, "b")):
        lake = Lake.create(tmp_path / name, key_fingerprint="f274")
        rows = {table: some[::turn] for table, some in cohort_rows(lake).items()}
        changes = [
            Change(table, (write_part(lake.root, lake.private, table, some, name="p"),)) for table, some in rows.items()
        ]
        lake.commit("r", 0, changes)
        pages.append(write(lake).read_bytes())
    assert pages[0] == pages[1]


def test_a_large_cohort_makes_a_small_page(empty: Lake) -> None:
    rows = series_rows(5000)
    reference = empty.objects.put(picture(3), ".png")
    rows["previews"] = [
        {"owner": i, "image_id": i, "object": reference} for i in (r["image_id"] for r in rows["images"])
    ]
    rows["quality"] = [
        {"owner": r["image_id"], "image_id": r["image_id"], "check": "noise", "level": "warning", "message": "m"}
        for r in rows["images"]
    ]
    rows["duplicates"] = [
        {"image_id": r["image_id"], "cluster_id": f"cl-{k // 2}", "kind": "near"} for k, r in enumerate(rows["images"])
    ]
    html = write(fill(empty, rows)).read_text("utf-8")
    assert "120 of 5,000 series are shown" in html
    assert "20 of 2,500 clusters" in html
    assert len(html) < 200_000


def test_a_page_that_cannot_be_written_leaves_the_old_one(empty: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    before = write(empty).read_bytes()
    fill(empty, series_rows(1))

    def full(path: Path, data: bytes) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(room, "write_bytes", full)
    with pytest.raises(StorageError):
        write(empty)
    assert (empty.root / "report" / "index.html").read_bytes() == before


def test_importing_the_report_loads_no_template_engine() -> None:
    code = "import sys, radlake.report; print([m for m in ('jinja2', 'matplotlib', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def colours(scheme: str) -> dict[str, tuple[float, ...]]:
    """Colours of the style sheet in sRGB 0 to 1 by name."""
    style = (Path(room.__file__).parent / "templates" / "style.css").read_text("utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    found = re.findall(r"--([\w-]+): #([0-9a-f]{6})", roots[{"light": 0, "dark": 1}[scheme]])
    return {name: tuple(int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)) for name, code in found}


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Contrast ratio of WCAG 2.2, 1 to 21."""
    light = [
        sum(
            w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
            for w, c in zip((0.2126, 0.7152, 0.0722), rgb, strict=True)
        )
        for rgb in (one, other)
    ]
    return (max(light) + 0.05) / (min(light) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: str) -> None:
    named = colours(scheme)
    for text in ("ink", "quiet", "accent", "bad", "warn"):
        for ground in ("paper", "ground", "soft"):
            assert contrast(named[text], named[ground]) >= 4.5, (text, ground)
    assert contrast(named["bad"], named["bad-soft"]) >= 4.5
    assert contrast(named["warn"], named["warn-soft"]) >= 4.5
    assert contrast(named["ink"], named["accent-soft"]) >= 4.5
    for mark in ("bar", *(f"c{k}" for k in range(9))):
        assert contrast(named[mark], named["paper"]) >= 3, mark


PROBE = """<!doctype html><meta charset="utf-8"><body><iframe style="border:0;width:400px;height:900px"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = () => {
  const inside = frame.contentDocument;
  const table = inside.querySelector("#quality table");
  const heads = () => [...table.querySelectorAll("tbody th")].map((cell) => cell.firstChild.textContent);
  const names = heads();
  table.querySelector("th button").click();
  const sorted = heads();
  inside.querySelector(".enlarge").click();
  const result = {
    width: inside.documentElement.scrollWidth, names, sorted,
    open: inside.querySelector("dialog").open, shown: inside.querySelector("dialog img").naturalWidth,
    loaded: [...inside.querySelectorAll(".card img")].every((image) => image.naturalWidth > 0),
  };
  document.body.innerHTML = "";
  document.body.dataset.result = JSON.stringify(result);
};
frame.srcdoc = PAGE;
</script>"""


@pytest.mark.browser
def test_a_browser_shows_the_page_on_a_phone_without_overflow_or_errors(html: str, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Chromium is not installed")
    probe = tmp_path / "probe.html"
    quoted = json.dumps(html).replace("</", "<\\/").replace("<!--", "<\\!--")
    probe.write_text(PROBE.replace("PAGE", quoted), "utf-8")
    options = (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr",
        "--virtual-time-budget=5000", "--dump-dom", f"--user-data-dir={tmp_path / 'profile'}",
    )  # fmt: skip
    done = subprocess.run([browser, *options, probe.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    assert "CONSOLE" not in done.stderr, done.stderr
    written = re.search(r'data-result="([^"]*)"', done.stdout)
    assert written, done.stderr[-2000:]
    found = json.loads(written[1].replace("&quot;", '"').replace("&amp;", "&"))
    assert found["width"] <= 400
    assert found["sorted"] == sorted(found["names"])
    assert found["loaded"]
    assert (found["open"], found["shown"]) == (True, 8)
