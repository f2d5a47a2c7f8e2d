"""One person's trial out of tables that everybody shares: for the page that the person has alone."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np

from acu_nof1.load.diaries import read_diary
from acu_nof1.load.protocols import PROTOCOL_FILE, protocol_from
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from pathlib import Path

    from acu_nof1.cohort.people import People


def trial_of(folder: Path, people: People, who: int, code: str) -> Trial:
    """What was planned for this person, and what does the diary say? Shared tables have no sessions and no safety.

    Parameters
    ----------
    folder
        With the protocol that everybody shares, and the diary files.
    people
        The people table beside it.
    who
        The person's position in that table.
    code
        Under which the person appears.

    Raises
    ------
    AcuError
        If this person's part of the files cannot be understood.
    """
    raw: dict[str, Any] = tomllib.loads((folder / PROTOCOL_FILE).read_bytes().decode("utf-8-sig"))
    known = people.covariates.iloc[who]
    plan = {**raw.get("trial", {}), "person": code, "condition": str(known.get("condition", ""))}
    phases = [{"kind": each.kind, "start": each.start, "end": each.end} for each in people.phases[who]]
    files = [{**each, "person": people.person[who]} for each in raw["diary"]]
    own = {**raw, "trial": plan, "phase": phases, "diary": files, **_look(people, who)}
    protocol, _ = protocol_from(own)
    asked = [outcome for outcome in protocol.outcomes if outcome.derived is None]
    return Trial(protocol, read_diary(*protocol.diaries, outcomes=asked, folder=folder))


def _look(people: People, who: int) -> dict[str, list[dict[str, Any]]]:
    """The planned look, where the people table names its day or its window; without a day it is after the last phase."""
    day, window = people.looked_on[who], int(people.window_days[who])
    if np.isnat(day) and not window:
        return {}
    last = max(each.end for each in people.phases[who] if each.kind in ("baseline", "treatment"))
    on = np.datetime64(last, "D") + 1 if np.isnat(day) else day
    return {"reassess": [{"on": on.item(), **({"window_days": window} if window else {})}]}
