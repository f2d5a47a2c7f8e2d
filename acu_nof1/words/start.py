"""What a trial that is about to begin says: the questions of its diary, how to answer, the protocol to fill in."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from acu_nof1.words.around import PROMPTLY
from acu_nof1.words.numbers import amount, date

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from acu_nof1.outcomes import Outcome

DATE, NOTES = "Date", "Notes"
YES, NO = "yes", "no"

# For every question: what is asked, and how it is answered. They end the day, or begin it.
ASKED: Mapping[str, tuple[str, str]] = {
    "pain": ("How bad was your pain today, on average?", "0 none, 10 the worst"),
    "stairs": ("How bad was the pain on stairs today, at its worst?", "0 none, 10 the worst"),
    "stiffness": ("How long were you stiff this morning?", "minutes; 0 if not"),
    "walking": ("How long did you walk today, in all?", "minutes; 0 if not"),
    "sleep": ("How long did you sleep last night?", "hours; 6.5 is 6 and a half"),
    "tablets": ("Did you take a tablet for the pain today?", "yes or no"),
    "flare": ("Was today a flare, clearly worse than usual?", "yes or no"),
    "headache": ("Did you have a headache today?", "yes or no"),
    "intensity": ("If so: how bad was it at its worst?", "1 to 10; no headache: blank"),
    "doses": ("How many tablets for the headache today?", "0 if none; a half is 0.5"),
    "cancelled": ("Did you drop or cut short a plan today?", "yes or no"),
    "stress": ("How stressed were you today?", "0 not at all, 10 the most"),
    "into_bed": ("When did you get into bed?", "such as 22:30"),
    "tried_to_sleep": ("When did you try to go to sleep?", "such as 23:00"),
    "minutes_to_sleep": ("How long did it take to fall asleep?", "minutes"),
    "minutes_awake": ("How long were you awake in the night?", "minutes, all together"),
    "final_awakening": ("When did you wake up for good?", "such as 6:15"),
    "out_of_bed": ("When did you get out of bed?", "such as 6:45"),
}
SPOKEN: Mapping[str, str] = {"sleep_and_stress": "pain, poor sleep and stress", "other_pain": "pain"}
NOTES_ASKED = ("Anything new?", "new tablets, an injury, a holiday")


def treated_from(start: dt.date) -> str:
    """Say above the dates when treatment begins."""
    return f"treatment from {date(start)}"


def title(name: str) -> str:
    """Name the column of a question: a reader finds it by this name."""
    return name.replace("_", " ").capitalize()


# ------------------------------------------------------------------ the workbooks

READ_ME, DIARY, NIGHTS, SESSIONS = "Read me", "Diary", "Nights", "Sessions"
DIARY_TITLE = "My diary"
EVENING = f"Fill in one row every evening, on the sheet “{DIARY}”. The date is there already."
MORNING = f"Fill in one row every morning, on the sheet “{NIGHTS}”: the night that ended on that date."
HOW: tuple[str, ...] = (
    "Write what is so, good days too. It takes about a minute.",
    "Missed a day? Leave its row blank. Do not fill it in days later.",
    "0 means none. Blank means not answered.",
    "Write numbers only: 7, not 7/10 or “about 7”.",
    "Leave dates, titles and the names of the sheets as they are. Save the file under the name it has.",
    "Write no names here, yours neither.",
)
COLUMN_HEADS = ("Column", "What is asked", "How to answer")
TABS = "The sheets are the tabs at the bottom of the window."
RED_FLAGS = (
    f"{PROMPTLY}, do not wait for the next visit: pain with fever, weight loss that you cannot explain or severe pain at "
    "night; new weakness, numbness, bowel or bladder changes; chest pain, shortness of breath or a sudden severe "
    "headache; a bad fall or blow; spreading redness where a needle was."
)
SESSIONS_TITLE = "The clinic’s session log"
SESSIONS_HOW: tuple[str, ...] = (
    f"Fill in one row after every appointment, on the sheet “{SESSIONS}”. Only the date is needed.",
    "Ask about side effects every time, and say so: none reported is not the same as not asked.",
    "A red flag, or a serious event, overrules the diary. Several red flags are parted by semicolons.",
    "Write codes, not names. Further columns may be added; they are kept as text.",
)
SESSION_HEADS = ("Column, or red flag", "What it means", "")
SESSION_COLUMNS: Mapping[str, str] = {
    "date": "day of the appointment",
    "attended": "yes, no or late cancel; blank means yes",
    "adverse_asked": "were side effects asked about? yes or no",
    "adverse_event": "what was reported; blank if nothing",
    "serious": "was it serious? yes or no",
    "red_flag": "from the list; blank if none",
    "points": "points, parted by semicolons",
    "needles_n": "number of needles",
    "retention_min": "minutes the needles stayed in",
    "notes": "anything else",
}

WRONG_ENTRY = "This does not fit here"
CLOCK_ENTRY = "Is this time right?"


def whole_between(low: float, high: float | None) -> str:
    """Say which whole numbers are expected."""
    return f"Write a whole number {_between(low, high)}. Leave the cell blank if you have no answer."


def number_between(low: float, high: float | None) -> str:
    """Say which numbers are expected."""
    return f"Write a number {_between(low, high)}. Leave the cell blank if you have no answer."


def _between(low: float, high: float | None) -> str:
    return f"from {low:g} up" if high is None else f"from {low:g} to {high:g}"


HOURS = "Write hours as a number, such as 6.5 for six and a half hours. Leave the cell blank if you have no answer."
YES_OR_NO = "Choose yes or no from the list. Leave the cell blank if you have no answer."
A_TIME = "Write a time of day, such as 22:30 or 6:15. Leave the cell blank if you have no answer."
A_BEDTIME = "Is this a bedtime? Midnight is 0:00, 12:00 is noon; half past ten in the evening is 22:30."
A_DATE = "Write the date of an appointment in the weeks of this trial."
FROM_THE_LIST = "Choose from the list."

# ------------------------------------------------------------------ the sheet for paper

SHEET_TITLE = "Diary"
EVENINGS, MORNINGS = "Every evening", "Every morning: the night that ended on that date"
SHEET_HOW = (
    "One row a day. 0 means none, blank means not answered. Missed a day? Leave it blank, do not fill it in later."
)
WHOSE = "Code"


def sheet_heading(condition: str) -> str:
    """Head a page of the sheet for paper."""
    return f"{SHEET_TITLE}: {condition_name(condition)}"


def sheet_days(first: dt.date, last: dt.date) -> str:
    """Say which days a page is for."""
    return f"{date(first)} to {date(last)}"


def page_of(page: int, pages: int) -> str:
    """Number a page."""
    return f"Page {page} of {pages}"


def weekday(day: dt.date) -> str:
    """Name a day of the week, in three letters whatever the language of the machine."""
    return ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()]


# ------------------------------------------------------------------ the protocol to fill in

PROTOCOL = Template("""\
# The protocol of a short trial of acupuncture: what is kept, when treatment begins, how much change matters, when to look.
# Go through it together before the first needle. A line that begins with # is a remark: take the # away to use what stands
# there. Every key is explained in docs/PROTOCOL.md. See whether it is right: acu-nof1 check FOLDER

sessions = "$sessions_file"\t# the clinic's session log

[trial]
person = $person\t# a code, never a name: it is printed
condition = $condition
goal = ""\t# what the person wants to be able to do, in their own words
# agreed_on = $first_day\t# the day on which you agreed on all this: before treatment
planned_sessions = $planned_sessions\t# $planned_why

[[phase]]\t# diary before anything is changed: $baseline_days days
kind = "baseline"
start = $first_day
end = $last_before

[[phase]]\t# $weeks weeks of treatment
kind = "treatment"
start = $start\t# day of the first treatment
end = $last_day

[[reassess]]\t# the look: the last $window_days days are compared with the baseline
on = $look
window_days = $window_days

# --- the diary ------------------------------------------------------------------------------------

[[diary]]\t# one row every evening; each column is found by its title
file = "$diary_file"
sheet = "$diary_sheet"
$nights
# --- what is watched, and how much change matters -------------------------------------------------
# A published important change holds unless you agree on another here. It was found in groups of people: what matters
# to this person may be more or less.

$outcomes
$further
[success]\t# what would count as success: all of these, each by its important change
all = ["$primary"]\t# more than one: all = ["$primary", "…"]; at least one of them: any = […]

[safety]\t# ask before the first needle, and write down what was answered
$red_flags
# red_flags = []\t# none of them
# blood_thinner = false\t# takes a blood thinner, or has a bleeding disorder
# low_immunity = false\t# low immunity, or an active infection
# pregnant = false
# implanted_device = false\t# an implanted electrical device

# --- what else happens ----------------------------------------------------------------------------
# Anything new in these weeks that may explain a change: tablets, exercises, an injury, a holiday.

# [[event]]
# date = $start
# what = "graded walking plan starts"\t# regular tablets: kind = "medication" and change = "started"
""")
NIGHTS_TABLE = Template("""
[[diary]]\t# one row every morning: clock times, from which sleep is worked out
file = "$diary_file"
sheet = "$sheet"
layout = "sleep_clock"
""")
FURTHER = """\
# Questionnaires may be kept at visits too; they need their own forms. Take the # away from both lines, and give the
# diary's sheet a column with the name behind the point as its title: the score stands in the row of the day on which the
# form was filled in.
"""
PLANNED_WHY: Mapping[str, str] = {
    "usual": "6 to 12 are usual, over about three months",
    "vickers": "up to 12 in three months were given in Vickers 2004, BMJ 328:744",
    "medicare": "up to 12 in 90 days: Medicare NCD 30.3.3, for chronic low back pain",
}
RED_FLAGS_KNOWN = "Red flags"
BETTER: Mapping[str, str] = {"lower": "less is better", "higher": "more is better"}
NONE_PUBLISHED = (
    "No important change is published. How much would matter to this person? Agree on it, and write it here:"
)


def scale(outcome: Outcome) -> str:
    """Say what is written down for an outcome, and which way is better."""
    if outcome.kind == "yes_no":
        return f"yes or no; {BETTER[outcome.better]}"
    ends = "" if outcome.low is None or outcome.high is None else f"{outcome.low:g} to {outcome.high:g} "
    return f"{ends}{outcome.unit}; {BETTER[outcome.better]}"


def published(outcome: Outcome) -> str:
    """Say which change is published as important, and where; that there is none, if so."""
    changes = [] if outcome.important_change is None else [amount(outcome.important_change, outcome)]
    if outcome.important_change_percent is not None:
        changes.append(f"{outcome.important_change_percent:g} % of the level before")
    if not changes:
        return NONE_PUBLISHED
    unsure = "" if outcome.verified == "yes" else "; not checked in full at its source"
    return f"Published: {' or '.join(changes)} ({outcome.source}{unsure})."


# ------------------------------------------------------------------ the command

ASK_FOLDER = "Folder for the trial"
ASK_CONDITION = "Condition (name or number)"
ASK_START = "Day of the first treatment, as 2026-01-19"
ASK_PERSON = "Code for the person, never a name (may be left blank)"
MISSING: Mapping[str, str] = {
    "DIR": "Name the folder to be made, as in acu-nof1 init my_trial.",
    "--condition": "Say what is treated: {}.",
    "--start": "Say on which day treatment begins, as in --start 2026-01-19.",
}
NOT_GIVEN = "it is not given, and nobody can be asked here."
THERE_ALREADY = "a file of this name is there already, and is not overwritten."
OTHER_FOLDER = "Choose another folder, or move the file away first."
NO_DATE = "this is no date."
WRITE_A_DATE = "Write it as 2026-01-19."
FAR_YEAR = "this year cannot be meant."
UNKNOWN_CONDITION = "there is no template for this condition."
ANY_OTHER = 'Any other pain: "other_pain"; its protocol can be changed.'


def begins_in_the_past(days: int) -> str:
    """Say that diary days are gone already."""
    return f"{days} of the diary's days before treatment {'is' if days == 1 else 'are'} gone already."


LEAVE_BLANK = "Leave them blank: nothing is filled in from memory. Or let treatment begin later."


def next_steps(folder: str, first_day: str, start: str, look: str) -> str:
    """Say what to do with the files."""
    return (
        f"Next: go through protocol.toml together, and take the # from agreed_on. The diary begins on {first_day}, "
        f"treatment on {start}.\nSee whether all is right:  acu-nof1 check {folder}\n"
        f"From {look} on:  acu-nof1 report {folder}"
    )


def condition_name(name: str) -> str:
    """Write a condition as people do."""
    return SPOKEN.get(name, name.replace("_", " "))


def missing_remedy(option: str, conditions: Iterable[str]) -> str:
    """Say how an option that is missing is given."""
    return MISSING[option].format(", ".join(conditions))
