"""Commands on what is told of people: verify, selftest, certificate, crosswalk, statistics, forget."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from radlake.cli.common import AsJson, KeyFile, LakePath, Private, Quiet, app, deidentify, examples, open_lake

VERIFY_EXAMPLES = examples(
    "deidentify verify clean --against scans",
    "deidentify verify clean --look-only --pixels all",
)
SELFTEST_EXAMPLES = examples("deidentify selftest", "deidentify selftest scans/ --seed 7")
STATISTICS_EXAMPLES = examples(
    "statistics LAKE --count --mean age --by sex,modality --k 11",
    "statistics LAKE --by age --bins age=0,18,40,65,91 --epsilon 0.5",
)
ANONYMITY_EXAMPLES = examples("anonymity cohort.csv --quasi age,sex,zip --sensitive diagnosis --reach 5 --out safe.csv")
FORGET_EXAMPLES = examples("forget LAKE pt-abcd...", "forget LAKE 4711 --key-file key")
CERTIFICATE_EXAMPLES = examples(
    "deidentify certificate clean", "deidentify certificate clean --format html --out c.html"
)
CROSSWALK_EXAMPLES = examples("deidentify crosswalk clean", "deidentify crosswalk clean --private keep/clean-private")
_ENOUGH = 0.999  # share of all actions that must be right
_SHOWN = 20


class PixelsRead(StrEnum):
    """Which pictures are read as text."""

    auto = "auto"
    all = "all"
    off = "off"


class CertificateForm(StrEnum):
    """How a certificate is written."""

    markdown = "markdown"
    html = "html"
    json = "json"


@deidentify.command(epilog=VERIFY_EXAMPLES)
def verify(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="Cleaned folder, or a release.", show_default=False)],
    against: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The sources, whose identifiers are looked for.")
    ] = None,
    pixels: Annotated[
        PixelsRead, typer.Option(help="Pictures to read as text: all that no scanner computes, all, or none.")
    ] = PixelsRead.auto,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where files with findings go; by default DEST.quarantine.")
    ] = None,
    look_only: Annotated[bool, typer.Option("--look-only", help="Move nothing and write nothing.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Look, with code of its own, for what could still tell whose a cleaned folder is.

    Exit code 1 if anything was found. Files with findings are moved out of DEST; rows of its findings.parquet, beside
    the account of the cleaning, tell kinds and places, never values.
    """
    from radlake.deid.verify import verify as look

    report = look(dest, against, read_pixels=pixels.value, quarantine=quarantine, set_aside=not look_only)
    if as_json:
        counts = {"files": report.files, "sources": report.sources, "pictures_read": report.pictures}
        typer.echo(json.dumps({**counts, "findings": dict(report.counts()), "leaks": len(report.leaks)}))
    elif not quiet:
        read = f"{report.pictures:,} read as text" if report.pictures else "no pixels read as text"
        typer.echo(f"{report.files:,} files looked at, {read}; identifiers of {report.sources:,} sources looked for")
        for kind, count in report.counts().most_common():
            typer.echo(f"  {kind}: {count:,} files")
        for place in dict.fromkeys(f"{leak.kind} at {leak.place}" for _, leak in report.leaks[:_SHOWN]):
            typer.echo(f"    {place}")
        if report.quarantine is not None:
            typer.echo(f"set aside: {report.quarantine}")
    if report.leaks:
        raise typer.Exit(1)


@deidentify.command(epilog=CROSSWALK_EXAMPLES)
def crosswalk(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="Cleaned folder.", show_default=False)],
    private: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Its private part, if not beside it.", show_default=False)
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write old and new ids of the files of a cleaned folder into its private part: the way back to people.

    The sources must lie where they were. Nothing else makes such a table, and nothing of the software needs it.
    """
    from radlake.engine.crosswalk import crosswalk as write

    rows = write(dest, private)
    if not quiet:
        typer.echo(f"crosswalk.parquet in the private part: {rows:,} files. It leads back to people; never share it")


@deidentify.command(epilog=SELFTEST_EXAMPLES)
def selftest(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Real DICOM files; by default those that pydicom ships."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Chooses the invented identities.")] = 1,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="Files to take, evenly over the folder.")] = 20,
    pictures: Annotated[
        int,
        typer.Option(
            "--pixels", min=0, metavar="N", help="Of these, in the pixels of which a name is drawn; extra ocr."
        ),
    ] = 5,
) -> None:
    """Plant invented identities in copies of real DICOM files, clean them, and print what was right and wrong.

    Exit code 1 where anything leaked, crashed, or fewer than 99.9% of the actions were right.
    """
    from radlake.deid.profiles import PROFILES
    from radlake.deid.selftest import selftest as examine
    from radlake.deid.verify.pixels import is_there

    found = sorted(p for p in (folder or _shipped()).rglob("*") if p.is_file())
    step = max(1, len(found) // most)
    pictures = pictures if is_there() else 0
    passed = True
    for profile in PROFILES:
        marks = examine(found[::step][:most], seed=seed, profile=profile, pictures=pictures)
        for line in marks.lines():
            typer.echo(line)
        passed = passed and not marks.sheet.wrong["text removed"] and not marks.crashes and marks.right >= _ENOUGH
    if not passed:
        raise typer.Exit(1)


def _shipped() -> Path:
    """Files that pydicom ships."""
    import pydicom

    return Path(pydicom.__file__).parent / "data" / "test_files"


@app.command(epilog=STATISTICS_EXAMPLES)
def statistics(
    lake: LakePath,
    by: Annotated[str, typer.Option(metavar="COLS", help="Columns that make the cells.", show_default=False)],
    count: Annotated[bool, typer.Option("--count", help="Count patients; always done.")] = True,
    mean: Annotated[list[str] | None, typer.Option(metavar="COLS", help="Numbers to average.")] = None,
    bins: Annotated[
        list[str] | None, typer.Option(metavar="COL=EDGES", help="Cells of a number, such as age=0,18,65,91.")
    ] = None,
    k: Annotated[int, typer.Option(min=2, metavar="N", help="Least number of patients in a cell.")] = 11,
    epsilon: Annotated[
        float | None, typer.Option(metavar="E", help="Add noise: differential privacy at this loss.")
    ] = None,
    bounds: Annotated[
        list[str] | None, typer.Option(metavar="COL=LOW:HIGH", help="Least and most of a mean, needed with noise.")
    ] = None,
    budget: Annotated[
        float, typer.Option(min=0, metavar="E", help="Total loss that the lake allows; the first answer fixes it.")
    ] = 10.0,
    private: Private = None,
    as_json: AsJson = False,
) -> None:
    """Count and average patients by named columns; cells under k and their complements are withheld.

    COLS are names with commas between them: sex, modality, body_part, manufacturer, columns that radlake join kept, and
    for --mean and --bins also age. A patient with several values is of a kind of its own, such as CT+MR.
    """
    from radlake.engine.statistics import Question
    from radlake.engine.statistics import statistics as ask

    question = Question(
        tuple(_names([by])), tuple(_names(mean or [])), {n: tuple(e) for n, e in _numbers(bins, ",").items()}, k,
        epsilon, {n: (e[0], e[1]) for n, e in _numbers(bounds, ":", 2).items()},
    )  # fmt: skip
    answer = ask(open_lake(lake, private), question, budget=budget)
    if as_json:
        typer.echo(json.dumps(asdict(answer)))
        return
    typer.echo("\t".join((*question.by, "patients", *(f"mean {name}" for name in question.means))))
    for line in answer.lines:
        means = ("withheld" if v is None else f"{v:.6g}" for v in line.means.values())
        typer.echo("\t".join((*line.cell, "withheld" if line.count is None else f"{line.count:,}", *means)))
    if answer.epsilon is not None:
        typer.echo(f"epsilon {answer.epsilon:g}, delta {answer.delta:.2g}; {answer.left:g} of the budget is left")
    if answer.unknown is not None:
        typer.echo(f"{answer.unknown:,} series of unknown patients are in no cell")


@app.command(epilog=ANONYMITY_EXAMPLES)
def anonymity(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="CSV, TSV, Parquet, Excel or SQLite file.", show_default=False)
    ],
    quasi: Annotated[
        str, typer.Option(metavar="COLS", help="What somebody could know from elsewhere.", show_default=False)
    ],
    sensitive: Annotated[list[str] | None, typer.Option(metavar="COLS", help="What nobody should learn.")] = None,
    reach: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Generalise until every class has K rows.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Parquet or CSV file of the result.")] = None,
    as_json: AsJson = False,
) -> None:
    """How alike people are in a table: k-anonymity, l-diversity, t-closeness; with --reach, generalise to a k."""
    from radlake.engine.anonymity import anonymity as look

    found = look(table, _names([quasi]), _names(sensitive or []), reach=reach, out=out)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"{found.rows:,} rows in {found.classes:,} classes; k = {found.k}, {found.alone:,} rows are alone")
    for name, count in found.diversity.items():
        typer.echo(f"{name}: l = {count} (entropy {found.entropy[name]:.3g}), t = {found.closeness[name]:.3g}")


def _names(given: list[str]) -> list[str]:
    """Column names from options that may be repeated and may each hold several."""
    return [name.strip() for text in given for name in text.split(",") if name.strip()]


def _numbers(given: list[str] | None, mark: str, count: int | None = None) -> dict[str, list[float]]:
    """Numbers by column from COL=1,2,3."""
    found = {}
    for text in given or ():
        name, _, numbers = text.partition("=")
        try:
            values = [float(number) for number in numbers.split(mark)]
        except ValueError:
            values = []
        if len(values) < 2 or (count and len(values) != count) or values != sorted(set(values)):
            raise typer.BadParameter(f"{text!r}: expected a column and ascending numbers, such as age=0{mark}90")
        found[name.strip()] = values
    return found


@app.command(epilog=FORGET_EXAMPLES)
def forget(
    lake: LakePath,
    patient: Annotated[
        str,
        typer.Argument(metavar="PATIENT", help="A pseudonym, pt-..., or with the key a PatientID.", show_default=False),
    ],
    issuer: Annotated[str | None, typer.Option(metavar="NAME", help="Issuer of the PatientID.")] = None,
    key_file: KeyFile = None,
    private: Private = None,
    as_json: AsJson = False,
) -> None:
    """Erase a person: rows, objects, table history and report; models that learned from the person are flagged.

    It can be repeated, and goes on where it was stopped. The sources stay: remove them as well, or the next run brings
    the person back.
    """
    from radlake.deid.keys import load_key
    from radlake.engine.forget import forget as erase
    from radlake.report import write

    opened = open_lake(lake, private)
    key = None if patient.startswith("pt-") else load_key(key_file, create=False)
    found = erase(opened, patient, key=key, issuer=issuer)
    write(opened)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(", ".join(f"{n:,} rows of {name}" for name, n in found.rows.items()) or "nothing of this person is left")
    for name in found.models:
        typer.echo(f"model {name} may have learned from this person: train it anew")
    for path in found.sources:
        typer.echo(f"source: {path}")


@deidentify.command(epilog=CERTIFICATE_EXAMPLES)
def certificate(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A cleaned folder.", show_default=False)],
    form: Annotated[CertificateForm, typer.Option("--format", help="How it is written.")] = CertificateForm.markdown,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write, instead of printing.")] = None,
) -> None:
    """What was done to a cleaned folder: profile, options, versions, counts by action; nothing of anybody."""
    from radlake.deid.certificate import certificate as state

    text = state(dest).written(form.value)
    if out is None:
        typer.echo(text, nl=False)
    else:
        from radlake.lake.durable import write_bytes

        write_bytes(out, text.encode())
