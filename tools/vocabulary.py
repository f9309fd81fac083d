"""Write the generated word list of `radlake.deid`: the words of DICOM's code meanings.

    python tools/vocabulary.py

`codes.txt` holds the words of the code meanings that DICOM uses (PS3.16 context groups and templates, as shipped in
`pydicom.sr`), without breeds of animals and without words that are only ever written with a capital, such as eponyms.
A star marks those that are first or last names too, alone or in the plural, by Faker's lists.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import faker.providers.person
from pydicom.sr import _concepts_dict

from radlake.deid.vocabulary import FOLDER, read_words

SCHEMES = ("DCM", "SCT", "RADLEX", "IBSI", "FMA", "UCUM", "NCIt")
ANIMALS = {7480, 7481, 7482, 7483, 7484, 7485, 7486}  # PS3.16 CID 7480 Breed and its neighbours
WORD = re.compile(r"[A-Za-z]{3,}")


def meanings() -> Iterator[tuple[str, str]]:
    """(scheme, meaning) of every code."""
    concepts: dict[str, Any] = _concepts_dict.concepts
    for scheme in SCHEMES:
        for codes in concepts[scheme].values():
            for meaning, groups in codes.values():
                if not ANIMALS & set(groups):
                    yield scheme, meaning


def code_words(known: set[str]) -> set[str]:
    """Words that are seen in lower case, or only where any word would have a capital and no name is meant."""
    found: set[str] = set()
    proper: set[str] = set()
    common: set[str] = set()
    for scheme, meaning in meanings():
        for place, word in enumerate(WORD.findall(meaning)):
            found.add(word.lower())
            if word.islower():
                common.add(word)
            elif scheme == "SCT" and place and word.istitle():
                proper.add(word.lower())
    return found - ((proper | known) - common)


def names() -> set[str]:
    """First and last names, folded to plain lower-case letters."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(faker.providers.person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for attribute in dir(provider):
            listed = getattr(provider, attribute)
            if "name" in attribute and isinstance(listed, (tuple, list, dict)):
                for name in listed:
                    plain = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
                    found.update(re.findall(r"[a-z]{2,}", plain))
    return found


def main() -> None:
    """The list, sorted, wrapped at 120 columns."""
    known = names()
    words = sorted(code_words(known) - read_words("report.txt")[0])
    lines, line = ["# Words of DICOM code meanings (PS3.16), written by tools/vocabulary.py; * people's names too."], ""
    for word in (f"{w}*" if w in known or f"{w}s" in known else w for w in words):
        if len(line) + len(word) >= 120:
            lines.append(line)
            line = ""
        line = f"{line} {word}".lstrip()
    (FOLDER / "codes.txt").write_text("\n".join([*lines, line]) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
