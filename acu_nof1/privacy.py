"""What may be shown of a text that somebody wrote: addresses, phone numbers and names are masked, prose is measured."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

E_MAIL, PHONE, NAME = "[e-mail]", "[phone]", "[name]"
# A cell with more words or letters than these is prose: its length is told, not its text.
MOST_WORDS, MOST_LETTERS, MOST_IDEOGRAPHS = 3, 30, 8
# A column of words is prose too if its texts seldom recur, or are more than an answer has choices.
MOST_CHOICES = 12

LONGEST = 1000  # characters that are looked at where there is more

_ADDRESS = re.compile(
    r"[^\s@＠<>\"“”(),;:]{1,64}\s?(?:[@＠]|[(\[]\s?at\s?[)\]])\s?\w[\w-]*(?:\.[\w-]+)+", re.IGNORECASE
)
# Dates, decimals and thousands are no phone numbers; they are tried first, at each place.
_NUMBERS = re.compile(
    r"(?<![\w.])(?:"
    r"(?P<kept>\d{4}([-/.])\d{1,2}\2\d{1,2}(?!\d)|\d{1,2}\s*([-/.])\s*\d{1,2}\s*\3\s*(?:\d{4}|\d{2})(?![\d/.-]|\s\d\d\s)"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:\d{4}|\d{6})?(?!\d)"
    r"|(?:0|[1-9]\d*)[.,]\d+(?![\d.,]|[\s/-]\d)|\d{1,3}(?:[ .,']\d{3})+(?![\s./-]?\d))"
    r"|(?P<called>(?:tel|telephone|phone|mobile|mob|cell|call|called|fax|ph|handy)\b\W{1,3})(?!\d{4}-\d|\d\d?[./])\+?[\d(][\d\s()./–-]{4,18}\d(?!\w)"
    r"|(?P<phone>\+?\(?\d[\d\s()./–-]{6,18}\d(?!\w)))",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_BETWEEN = re.compile(r"[\s_.,]{1,2}(?:(?:van|von|de|der|den|la|le|di|da|del|dos|bin|al|el|ter)\s)*")
_OWNED = re.compile(r"(?<!\w)([^\W\d_]+)(['’]s)(?!\w)")
_SALUTATIONS = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "sr", "herr", "frau", "mme", "madame", "señora"))
# Words of titles and file names that are written with capitals and are nobody's name.
_ORDINARY = frozenset(
    re.split(
        r"\s+",
        """a about acceptance active activities activity acupuncture adl admin after afternoon age all am amount an and
        angle ankle anonymous answer answered answers anxiety apple apr april are arm as assessment at aug august average
        avg awake awakening awakenings back bad baseline bearable bearing bed before best better bowel bpi brief
        burden by caffeine calendar cause category change check clinic clock code coffee comment comments condition
        consensus consent cramps csd current daily data date dates day daylio days dec december depression depth diary
        did difficulty disability distress disturbance done dose doses drinks drug duration ease eight elbow energy
        enjoyment entry episode evening event every excel exercise export factors fall family fatigue feb february feel
        feeling felt female fhir file final finger first fitbit five flare foot form four fri friday from full function
        functional galaxy garmin general global goal good google group hand head headache health heart heat high hip
        hot hour hours how id impact impression in index insomnia instance instrument intensity interference into
        inventory iphone is item items jan january jaw job joint journal json jul july jun june knee koos last least leg
        level life light limit list log long loss low lower male mar march max may mean medication medicine meditation
        menstrual mental mid middle migraine min minutes mon monday month mood morning most mouth moved movement my name
        nausea neck neg new night no none normal not note notes nov november nrs number numbness oct october odi of on
        onset oswestry other oura out outcome overall pain painkiller part past path patient peg per perceived period
        person personal phase phone physical pill pills pilot pittsburgh pm pms pos practitioner pre present pressure
        prompt promis protocol pulse qol quality quantity question questionnaire quite rate rating read record recorded
        records redcap rescue response rest restlessness result results right rising rmdq roland sadness same sample sat
        saturday scale score scores second self sensitivity sep sept september session sessions set severe severity sheet
        shift short shoulder side simulated single sitting six skin sleep slept social somebody someone spasm specific
        spine sport standing start state status step steps stiffness stop stress study subject submission sum summary
        sun sunday swelling symptom symptoms tablet tablets taken task tension test testing thigh this thu thumb thursday
        tightness time timestamp tinnitus tired tiredness today toe total trial tried trigger triggers tue tuesday two
        type upper urge use usual value vas version very visit vitamin volume waist wake waking walk walked walking was
        watch water weakness weather wed wednesday week weekday weekly weight wellbeing what when which while white
        window with womac work workbook asleep buddy efficiency entered formatted forms lasted likert periods program programme
        quantification regimen report resources started table the tidy to trialist unit worry worse worst wrist year yes yesterday yoga your""",
    )
)


def masked(text: str) -> str:
    """How does a text read without e-mail addresses and phone numbers?"""
    if not ("@" in text or "＠" in text or "at" in text.casefold() or sum(map(str.isdigit, text)) > 5):
        return text
    return _NUMBERS.sub(_number, _ADDRESS.sub(E_MAIL, text))


def _number(found: re.Match[str]) -> str:
    if found["kept"] is not None:
        return found[0]
    if found["called"] is not None:
        return f"{found['called']}{PHONE}"
    return PHONE if _is_phone(found["phone"]) else found[0]


def _is_phone(text: str) -> bool:
    groups = re.findall(r"\d+", text)
    digits = "".join(groups)
    if text.startswith("+") or digits.startswith("00"):
        return len(digits) <= 15
    if digits.startswith("0"):
        return 9 <= len(digits) <= 12 and len(groups[0]) > 1
    if len(groups) == 1:  # a 1 begins the count of seconds that machines write for a time
        return 10 <= len(digits) <= 13 and not digits.startswith("1")
    return len(groups) > 2 and 9 <= len(digits) <= 13 and min(map(len, groups)) > 1


def without_names(text: str) -> str:
    """How does a text read without addresses, phone numbers, and words that look like somebody's name?"""
    text = masked(text)
    for start, end in reversed(list(_names(text))):
        text = f"{text[:start]}{NAME}{text[end:]}"
    return unowned(text)


def unowned(text: str) -> str:
    """Leave out whose a thing is: Jane's watch is [name]'s watch."""
    return _OWNED.sub(lambda found: f"{NAME}{found[2]}" if _is_name_word(found[1]) else found[0], text)


def _names(text: str) -> Iterator[tuple[int, int]]:
    """Where do two or more words with capitals, none of them an ordinary one, follow one another?"""
    run: list[re.Match[str]] = []
    candidates = [word for word in _WORD.finditer(text) if word[0].casefold() in _SALUTATIONS or _may_be_name(word[0])]
    for word in candidates:
        if run and not _BETWEEN.fullmatch(text, run[-1].end(), word.start()):
            yield from _span(run)
            run = []
        run.append(word)
    yield from _span(run)


def _may_be_name(word: str) -> bool:
    return _is_name_word(word) or _is_initial(word)


def _span(run: list[re.Match[str]]) -> Iterator[tuple[int, int]]:
    if run and _is_name(run):
        yield run[0].start(), run[-1].end()


def _is_name(run: list[re.Match[str]]) -> bool:
    words = [word[0] for word in run if word[0].casefold() not in _SALUTATIONS]
    whole = [word for word in words if not _is_initial(word)]
    return len(whole) > 1 or (len(whole) == 1 and (len(words) < len(run) or _is_initial(words[0])))


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isupper()


def _is_name_word(word: str) -> bool:
    parts = re.split(r"['’-]", word)
    capital = word[:1].isupper() and len(word) > 1 and (word.istitle() or len(word) > 2)
    return capital and not any(part.casefold() in _ORDINARY | _SALUTATIONS for part in parts)


def is_code(person: str) -> bool:
    """Is this a code, as far as one can see, and not a person's name, address or phone number?"""
    words = [word for word in re.findall(r"[^\W\d_]+", person) if word.casefold() not in _ORDINARY]
    if without_names(person) != person:
        return False
    capital = any(len(word) > 2 and word.istitle() for word in words)
    if any(map(str.isdigit, person)):
        return not (capital and len(words) > 1)
    return not (capital or sum(not word.isupper() for word in words) > 1)


def is_prose(text: str) -> bool:
    """Does a cell hold more than an answer: a sentence, or a name?"""
    if len(text) > 2 * MOST_LETTERS:
        return any(map(str.isalpha, text))
    letters, words = sum(map(str.isalpha, text)), _LETTERS.findall(text)
    ideographs = sum(unicodedata.east_asian_width(c) in "WF" and c.isalpha() for c in text)
    return (
        len(words) > MOST_WORDS
        or letters > MOST_LETTERS
        or ideographs > MOST_IDEOGRAPHS
        or without_names(text) != masked(text)
    )


def measured(text: str) -> str:
    """Say how long a text is, and nothing of what it says."""
    return f"[text of {len(text.strip())} characters]"


def quoted(text: str) -> str:
    """How is a cell quoted? A short answer as it stands, without addresses and phone numbers; prose by its length."""
    return measured(text) if is_prose(text) else masked(text[:LONGEST])


def is_free_text(texts: Sequence[str], times: Sequence[int], answered: int) -> bool:
    """Is this a column of comments rather than of answers: mostly words, and seldom the same ones?

    Parameters
    ----------
    texts
        Its distinct cells that are no plain numbers.
    times
        How often each occurs.
    answered
        How many cells are not blank.

    Returns
    -------
    bool
        Then not even its short cells are quoted.
    """
    words = [count for text, count in zip(texts, times, strict=True) if _is_words(text)]
    choices = len(words)
    return 2 * sum(words) > answered and choices > 2 and (choices > MOST_CHOICES or 2 * choices > sum(words))


def _is_words(text: str) -> bool:
    """Whether there is hardly a digit in it: a date in words has more."""
    return _LETTERS.search(text) is not None and sum(map(str.isalpha, text)) > 4 * sum(map(str.isdigit, text))


def quoted_column(texts: Sequence[str], times: Sequence[int], answered: int) -> list[str]:
    """How are the distinct cells of one column quoted? As for `is_free_text`."""
    return list(map(measured_words if is_free_text(texts, times, answered) else quoted, texts))


def measured_words(text: str) -> str:
    """Quote numbers as they stand, and of anything with words in it its length only."""
    return measured(text) if _LETTERS.search(text) else quoted(text)
