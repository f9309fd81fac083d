"""Word lists: lower case, ASCII, disjoint, and without the commonest names."""

from __future__ import annotations

from radlake.deid.vocabulary import read_words, report_words


def test_lists_are_lower_case_words() -> None:
    known, names_too = report_words()
    assert all(w.isascii() and w.isalpha() and w.islower() for w in known)
    assert names_too < known
    assert len(known) > 6000


def test_the_two_lists_do_not_repeat_each_other() -> None:
    assert not read_words("codes.txt").known & read_words("report.txt").known


def test_the_commonest_names_are_absent_or_marked() -> None:
    """The 30 commonest surnames and given names of the 1990 census of the United States."""
    names = (
        "smith johnson williams jones brown davis miller wilson moore taylor anderson thomas jackson white harris "
        "martin thompson garcia martinez robinson clark rodriguez lewis lee walker hall allen young hernandez king "
        "mary patricia linda barbara elizabeth jennifer maria susan margaret dorothy lisa nancy karen betty helen "
        "james john robert michael william david richard charles joseph christopher daniel paul mark donald george"
    )
    known, names_too = report_words()
    assert {n for n in names.split() if n in known} <= names_too
