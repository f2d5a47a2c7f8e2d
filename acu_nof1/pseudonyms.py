"""A code in place of a person's own: the same for the same person, and nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acu_nof1.errors import Problem, UsageError, said_as
from acu_nof1.privacy import NAME, is_code
from acu_nof1.safety import RED_FLAGS
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from acu_nof1.diary import Diary
    from acu_nof1.protocol import Protocol

    Rename = Callable[[str], str]

VARIABLE = "ACU_NOF1_KEY"
FROM_ENVIRONMENT = "env"
KEY_BYTES, SHORTEST_KEY = 32, 16
# Crockford's digits: no I, L, O or U, so that a code can be read aloud and never spells a word.
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8
# Parts the codes of this package from anything else that is hashed with the same key, and allows for another way.
PURPOSE = b"acu-nof1/person/1\0"


def pseudonym(person: str, key: bytes) -> str:
    """Under which code does this person appear, to those who do not hold the key?

    Parameters
    ----------
    person
        The person's own code, or a name. Capitals, and spaces before, behind and more than one between, do not matter.
    key
        The secret; at least 16 bytes. `read_key` reads one.

    Returns
    -------
    str
        ``P-`` and eight characters, as ``P-7F3K2M4X``: 40 bits of HMAC-SHA256 (RFC 2104). The same person has the same
        code wherever the same key is used. Two of 1,000 people share a code with a chance of about 1 in 2.2 million,
        two of 10,000 with 1 in 22,000.

    Raises
    ------
    UsageError
        If there is no person, or the key is too short to keep a secret.
    """
    name = " ".join(unicodedata.normalize("NFKC", person).casefold().split())
    if not name:
        raise UsageError([Problem("error", "person", "there is none to be given a code.", 'Write person = "P-014".')])
    _insist_on_length("key", key)
    number = int.from_bytes(hmac.digest(key, PURPOSE + name.encode(), hashlib.sha256)[:5], "big")
    return "P-" + "".join(DIGITS[number >> 5 * place & 31] for place in reversed(range(LENGTH)))


def pseudonymised(trial: Trial, key: bytes) -> Trial:
    """What does a trial look like when another code stands in place of the person's own?

    Parameters
    ----------
    trial
        The trial, as read.
    key
        As for `pseudonym`.

    Returns
    -------
    Trial
        With the new code wherever the old one stood: in file names, titles, cells, complaints and texts too. A name as
        the old code is left out word by word. Dates stay; `anonymous` moves them, and leaves out the code altogether.

    Raises
    ------
    UsageError
        As for `pseudonym`.
    """
    person = trial.protocol.person
    code = pseudonym(person, key)
    rename = _renaming(person, code)
    return Trial(_protocol(trial.protocol, code, rename), _diary(trial.diary, rename))


def _renaming(person: str, code: str) -> Rename:
    """Replace the whole of the old code, and of a name each word; digits alone would be found in every date."""
    whole = r"[\s_.-]*".join(map(re.escape, re.split(r"[\s_.-]+", person.strip())))
    patterns = [(rf"(?<![^\W_]){whole}(?![^\W_])", code)] if re.search(r"[^\W\d_]", person) else []
    words = [] if is_code(person) else [word for word in re.findall(r"[^\W\d_]+", person) if len(word) > 2]
    patterns += [(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", NAME) for word in words]

    def rename(text: str) -> str:
        for pattern, instead in patterns:
            text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
        return text

    return rename


def _protocol(protocol: Protocol, code: str, rename: Rename) -> Protocol:
    def flags(given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(flag if flag in RED_FLAGS else rename(flag) for flag in given)

    ticked = protocol.safety.red_flags
    return protocol.model_copy(
        update={
            "person": code,
            "condition": rename(protocol.condition),
            "goal": rename(protocol.goal),
            "outcomes": tuple(replace(outcome, label=rename(outcome.label)) for outcome in protocol.outcomes),
            "events": tuple(event.model_copy(update={"what": rename(event.what)}) for event in protocol.events),
            "sessions": tuple(
                session.model_copy(
                    update={
                        "adverse_event": rename(session.adverse_event),
                        "red_flag": flags(session.red_flag),
                        "notes": rename(session.notes),
                        "more": {name: rename(text) for name, text in session.more.items()},
                    }
                )
                for session in protocol.sessions
            ),
            "safety": protocol.safety.model_copy(update={"red_flags": None if ticked is None else flags(ticked)}),
            "diaries": (),
        }
    )


def _diary(diary: Diary, rename: Rename) -> Diary:
    ledger = diary.ledger
    texts: dict[str, Any] = {name: ledger[name].map(rename, na_action="ignore") for name in ("file", "column", "raw")}
    return replace(
        diary,
        _ledger=ledger.assign(**texts) if len(ledger) else ledger,
        problems=tuple(
            Problem(each.severity, said_as(each.where, rename), rename(each.problem), rename(each.remedy))
            for each in diary.problems
        ),
        sources=tuple(replace(each, file=rename(each.file), read_as=rename(each.read_as)) for each in diary.sources),
    )


# ------------------------------------------------------------------ the key


def read_key(source: str | os.PathLike[str]) -> bytes:
    """Which key stands in this file, or, for ``env``, in the environment variable ACU_NOF1_KEY?

    Raises
    ------
    UsageError
        If there is none, or it is too short. What it says is never printed.
    """
    if str(source) == FROM_ENVIRONMENT:
        key = os.environ.get(VARIABLE, "").strip().encode()
        if not key:
            what = f"the environment variable {VARIABLE} is not set."
            raise UsageError([Problem("error", "key", what, "Set it, or name a file made with: acu-nof1 key FILE.")])
        return _insist_on_length(VARIABLE, key)
    path = Path(source)
    if not path.is_file():
        raise UsageError([Problem("error", str(path), "there is no such key file.", "Make one: acu-nof1 key FILE.")])
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = "other people on this machine can read the key."
        raise UsageError([Problem("error", str(path), what, f'Keep it to yourself: chmod 600 "{path}".')])
    return _insist_on_length(str(path), path.read_bytes().strip())


def write_key(path: str | os.PathLike[str]) -> None:
    """Make a new key, 32 random bytes as text, in a file that only its owner can read; nothing is overwritten.

    Raises
    ------
    UsageError
        If there is a file already: with another key every person would get another code.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        what = "there is a file already, and with another key every person would get another code."
        raise UsageError([Problem("error", str(path), what, "Choose another name.")]) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")


def _insist_on_length(where: str, key: bytes) -> bytes:
    if len(key) < SHORTEST_KEY:
        what = f"a key needs at least {SHORTEST_KEY} characters, or codes can be undone by trying."
        raise UsageError([Problem("error", where, what, "Make one: acu-nof1 key FILE.")])
    return key
