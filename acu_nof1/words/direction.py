"""Texts that run from right to left: what keeps them from turning round what stands beside them."""

from __future__ import annotations

import re

# Marks without a glyph that embed, override or isolate (UAX #9 §2); one that is left open turns the rest of its line.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Hebrew to Arabic Extended-A, their presentation forms, and the right-to-left planes (Bidi_Class R and AL).
LETTER = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff"
# From the first such letter to the last one before a Latin letter; a bracket opened inside is closed inside.
RUN = re.compile(f"[{LETTER}](?:[^A-Za-z\u00c0-\u024f]*[{LETTER}])?")
FIRST_STRONG, POP = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def unturned(text: str) -> str:
    """Leave out what would turn round the text after it; no letter is lost."""
    return TURNING.sub("", text)


def runs(text: str) -> list[tuple[str, bool]]:
    """Split a text where its direction changes: pieces, and whether each runs from right to left.

    Parameters
    ----------
    text
        Without the marks that `unturned` leaves out.

    Returns
    -------
    list of (str, bool)
        Joined they are the text again. A label in Arabic and the numbers behind it are different pieces: as one,
        "0–10" would be read as "10–0".
    """
    pieces, at = [], 0
    for found in RUN.finditer(text):
        end = found.end()
        if found[0].count("(") > found[0].count(")") and text[end : end + 1] == ")":
            end += 1
        pieces += [(text[at : found.start()], False), (text[found.start() : end], True)]
        at = end
    return [piece for piece in (*pieces, (text[at:], False)) if piece[0]]


def isolated(text: str) -> str:
    """Close right-to-left pieces off by marks without a glyph, for a text that knows no mark-up."""
    pieces = runs(unturned(text))
    return "".join(f"{FIRST_STRONG}{piece}{POP}" if turned else piece for piece, turned in pieces)
