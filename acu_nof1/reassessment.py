"""What the diary says at a planned look: one object from which page, notebook, JSON and CSV are made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1 import __version__, words
from acu_nof1.checks import problems_of
from acu_nof1.course import course_of
from acu_nof1.errors import Problem, ProtocolError, UsageError
from acu_nof1.estimate import estimate_all
from acu_nof1.explore import missing_days, regression_to_the_mean
from acu_nof1.explore.diagnostics import LAGS, Diagnostics, diagnostics
from acu_nof1.explore.sensitivity import Sensitivity, Setting, asked_otherwise
from acu_nof1.protocol import Look
from acu_nof1.sessions.exploring import explored
from acu_nof1.spells import flare_spells
from acu_nof1.story import Answered, story_of
from acu_nof1.verdict import judge, judge_success
from acu_nof1.words import diagnostics as noise_words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Mapping

    from acu_nof1.course import Course
    from acu_nof1.diary import Source
    from acu_nof1.distribution import Cells
    from acu_nof1.estimate import Estimate, Estimates
    from acu_nof1.explore import MissingDays, Return
    from acu_nof1.explore.diagnostics import Resemblance
    from acu_nof1.explore.sensitivity import Alternative
    from acu_nof1.safety import Safety
    from acu_nof1.sessions import Explored
    from acu_nof1.spells import FlareSpells
    from acu_nof1.story import Standing, Story
    from acu_nof1.trial import Comparisons, Trial
    from acu_nof1.verdict import Success, Verdict
    from acu_nof1.words import Telling

SCHEMA = "acu-nof1/reassessment/1"
LIBRARIES = ("numpy", "pandas", "scipy")


@dataclass(frozen=True, eq=False)
class Reassessment:
    """A planned look at one trial: it informs a decision, it does not make it.

    Attributes
    ----------
    trial
        As it stood at the look.
    look, day, window_days
        Which look, its date, and the length of its window.
    comparisons, estimates
        The series that were compared and every answer.
    verdict, success, safety
        What changed in the primary outcome, whether the success rule was met, and what overrules both.
    problems
        Everything that was found wrong or worth knowing, worst first.
    """

    trial: Trial
    look: Look
    day: dt.date
    window_days: int
    comparisons: Comparisons
    estimates: Estimates
    verdict: Verdict
    success: Success
    safety: Safety
    problems: tuple[Problem, ...]

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """The primary answer beside those under other reasonable choices; worked out on first use."""
        primary = self.verdict.estimate
        if primary is None or self.verdict.overruled_by:
            return Sensitivity(None, (), self.trial.protocol.was_agreed)
        series = self.comparisons.take(self.comparisons.primary)
        return asked_otherwise(Setting(self.trial, self.look, series, primary))

    def reading(self, estimate: Estimate) -> str:
        """How one answer is read; withheld where a red flag or a serious event overrules the diary."""
        return words.WITHHELD if self.verdict.overruled_by and estimate.ok else words.reading(estimate)

    @cached_property
    def story(self) -> Story:
        """Each planned look as it stood then, up to this one; worked out on first use."""
        confidence = next((each.confidence for each in self.estimates), 0.95)
        now = Answered(self.look, self.verdict.estimate, self.success)
        return story_of(self.trial, self.day, now, self.safety.overrules, confidence)

    @property
    def telling(self) -> Telling:
        """How the days are named in sentences."""
        return words.telling(self.trial, self.look)

    @property
    def sentence(self) -> str:
        """The one sentence: what overrules the diary, or what changed and how sure that is."""
        said = words.verdict_sentence(self.verdict, self.telling, self.safety)
        return f"{said} {self.description}" if self.description else said

    @property
    def description(self) -> str:
        """A plain mean of the primary outcome where its change cannot be estimated; ``""`` where it can."""
        primary = self.verdict.estimate
        if self.verdict.overruled_by or primary is None or primary.ok or primary.outcome.every != "day":
            return ""
        row = self.describe().query("outcome == @primary.outcome.name and days == 'window'").iloc[0]
        return words.described(primary.outcome, float(row["mean"]), int(row["answered"]), self.telling)

    @property
    def attribution(self) -> tuple[str, ...]:
        """Other explanations that this diary itself suggests."""
        return tuple(words.caveat(each, self.telling) for each in self.verdict.attribution)

    @property
    def limits(self) -> tuple[str, ...]:
        """What this diary cannot tell, computed limits first."""
        return tuple(words.caveat(each, self.telling) for each in self.verdict.limits)

    @property
    def success_sentence(self) -> str:
        """Whether the success rule was met, in words."""
        outcomes = {outcome.name: outcome for outcome in self.trial.protocol.outcomes}
        return words.success_sentence(self.success, outcomes, self.telling)

    @cached_property
    def course(self) -> Course:
        """How treatment went: sessions, what was done at them, regular medication, the person's own overall rating."""
        return course_of(self.trial, self.look)

    @property
    def flares(self) -> FlareSpells:
        """How often flares came, how long they lasted and how many were cut off, phase by phase."""
        return flare_spells(self.comparisons)

    @cached_property
    def explored(self) -> Explored | None:
        """What goes along with the sessions; build-up and fading of the primary outcome only. ``None`` where nothing is asked."""
        protocol = self.trial.protocol
        if self.verdict.overruled_by or not protocol.has_baseline or not self.course.attended:
            return None
        return explored(
            self.comparisons,
            dict.fromkeys(self.comparisons.person, self.course.attended),
            wanted=[protocol.primary or ""],
        )

    @cached_property
    def missing_days(self) -> MissingDays:
        """When days were missing, whether after bad ones, and how bad they had to be to change a reading."""
        found = missing_days(self.comparisons, self.estimates)
        return replace(found, tipping_points=()) if self.verdict.overruled_by else found

    @cached_property
    def regression_to_the_mean(self) -> tuple[Return, ...]:
        """What a return to the usual level alone could give, for each daily outcome."""
        return regression_to_the_mean(self.comparisons)

    @cached_property
    def diagnostics(self) -> Diagnostics | None:
        """Whether the noise model fits the days of the primary outcome; ``None`` without one."""
        primary = self.verdict.estimate
        if primary is None:
            return None
        if not primary.ok:
            return Diagnostics(primary.person, primary.outcome, primary.reason)
        return diagnostics(self.comparisons.take(self.comparisons.primary))[0]

    def describe(self) -> pd.DataFrame:
        """Return raw means and answered days by side, without any model: for the appendix."""
        series, rows = self.comparisons, []
        used = series.phase >= 0
        sides = {
            "baseline": series.baseline,
            "treatment": series.treated & used,
            "window": series.window & used,
        }
        for index, outcome in enumerate(series.outcomes):
            for side, days in sides.items():
                values = series.values[index, days[index]]
                held = values[np.isfinite(values)]
                mean = float(held.mean()) if held.size else math.nan
                spread = float(held.std(ddof=1)) if held.size > 1 else math.nan
                rows.append((outcome.name, outcome.label, side, held.size, values.size, mean, spread))
        return pd.DataFrame(rows, columns=["outcome", "label", "days", "answered", "of", "mean", "sd"])

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the package and of what it computes with."""
        return {"acu_nof1": __version__, **{name: version(name) for name in LIBRARIES}}

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row an answer, with the reading in words."""
        frame = self.estimates.to_frame()
        if len(frame):
            frame["reading"] = [self.reading(each) for each in self.estimates]
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return everything a machine needs, in the shape of ``acu-nof1/reassessment/1``."""
        protocol, counts = self.trial.protocol, self.trial.diary.counts
        return {
            "schema": SCHEMA,
            "person": protocol.code,
            "condition": protocol.condition,
            "design": protocol.design,
            "reassessed_on": self.day.isoformat(),
            "window_days": self.window_days,
            "verdict": {
                "kind": self.verdict.kind,
                "sentence": self.sentence,
                "reasons": [] if self.verdict.overruled_by else list(words.reasons(self.verdict.estimate)),
                "attribution": list(self.attribution),
                "limits": list(self.limits),
                "overruled_by": self.verdict.overruled_by,
            },
            "success": _success(self.success),
            "looks": [self._look(each) for each in self.story.standings],
            "safety": {
                "red_flags": [words.red_flag(flag) for flag in self.safety.red_flags],
                "serious_events": [_event(event) for event in self.safety.serious_events],
                "adverse_events": len(self.safety.adverse_events),
                "sessions_attended": self.safety.sessions_attended,
                "sessions_asked": self.safety.sessions_asked,
            },
            "course": _course(self.course, protocol.goal),
            "estimates": [self._estimate(each) for each in self.estimates],
            "explored": None if self.explored is None else _explored(self.explored),
            "flares": [_flares(row) for row in self.flares.to_frame().to_dict("records")],
            "sensitivity": [_alternative(each, self.sensitivity.agreed) for each in self.sensitivity.alternatives],
            "missing_days": _missing(self.missing_days),
            "diagnostics": None if self.diagnostics is None else _diagnostics(self.diagnostics),
            "regression_to_the_mean": [_record(each) for each in self.regression_to_the_mean],
            "ledger": {
                "read": counts.read,
                "kept": counts.kept,
                "converted": counts.converted,
                "missing": counts.missing,
                "rejected": counts.rejected,
                "ignored": counts.ignored,
            },
            "problems": [
                {"severity": p.severity, "where": p.where, "problem": p.problem, "remedy": p.remedy}
                for p in self.problems
            ],
            "inputs": list(map(_source, self.trial.diary.sources)),
            "versions": self.versions,
        }

    def _look(self, each: Standing) -> dict[str, Any]:
        return _look(each, None if each.estimate is None else self._estimate(each.estimate))

    def _estimate(self, each: Estimate) -> dict[str, Any]:
        kind = None if self.verdict.overruled_by else each.reading or None
        return _estimate(each, self.reading(each), kind)

    def __repr__(self) -> str:
        return f"Reassessment({self.trial.protocol.code or 'no code'}, {self.day}: {self.sentence})"

    def _repr_html_(self) -> str:
        from acu_nof1.report.blocks import summary_html

        return summary_html(self)


def _event(event: Any) -> dict[str, str]:
    return {"date": event.date.isoformat(), "what": event.what}


def _course(course: Course, goal: str) -> dict[str, Any]:
    days, rated = course.attended, course.impression
    return {
        "planned": course.planned,
        "listed": len(course.sessions),
        "attended": len(days),
        "missed": course.missed,
        "late_cancelled": course.late_cancelled,
        "first": days[0].isoformat() if days else None,
        "last": days[-1].isoformat() if days else None,
        "days_since_last": course.days_since_last,
        "gaps": list(course.gaps),
        "done": [asdict(each) for each in course.done],
        "medication": [
            {"date": event.date.isoformat(), "what": event.what, "change": event.change} for event in course.medication
        ],
        "rescue": [outcome.name for outcome in course.rescue],
        "goal": goal or None,
        "overall_rating": None
        if rated is None
        else {
            "outcome": rated.outcome.name,
            "answer": rated.answer,
            "date": None if rated.day is None else rated.day.isoformat(),
            "scale": [rated.outcome.low, rated.outcome.high],
            "direction": rated.direction,
            "label": rated.label or None,
        },
    }


def _success(success: Success) -> dict[str, Any]:
    pairs = [
        {"outcomes": list(pair.outcomes), "correlation": pair.correlation if pair.days else None, "days": pair.days}
        for pair in success.pairs
    ]
    return {
        "kind": success.kind,
        "p": success.p,
        "bound": success.bound or None,
        "rule": success.rule,
        "not_estimable": list(success.unknown),
        "pairs": pairs,
    }


def _look(each: Standing, estimate: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "on": None if each.look.on is None else each.look.on.isoformat(),
        "after_session": each.look.after_session,
        "window_days": each.window_days,
        "date": None if each.day is None else each.day.isoformat(),
        "decides": each.decides,
        "shown": each.shown,
        "status": each.status,
        "reason": each.reason or None,
        "verdict": each.kind,
        "success": None if each.success is None else _success(each.success),
        "estimate": estimate,
    }


def _explored(found: Explored) -> dict[str, Any]:
    """Sessions and the course of the change: a record an outcome, and one a link."""
    return {
        name: [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
        for name, frame in (("outcomes", found.to_frame()), ("links", found.links_frame()))
    }


def _plain(value: Any) -> Any:
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _flares(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    return {str(name): _finite(value) if isinstance(value, float) else value for name, value in row.items()}


def _record(each: Any) -> dict[str, Any]:
    """A row of results: the outcome by its name, numbers that do not exist as null."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(inner) for name, inner in value.items()}
        return _finite(value) if isinstance(value, float) else value

    return {**plain(asdict(each)), "outcome": each.outcome.name}


def _diagnostics(found: Diagnostics) -> dict[str, Any]:
    def resemblance(each: Resemblance | None) -> dict[str, list[float | None]] | None:
        return (
            None
            if each is None
            else {name: [_finite(x) for x in getattr(each, name)] for name in ("value", "low", "high")}
        )

    def posterior(cells: Cells | None) -> dict[str, list[float]] | None:
        return None if cells is None else {"nodes": cells.nodes[0].tolist(), "weight": cells.weight[0].tolist()}

    return {
        "outcome": found.outcome.name,
        "reason": found.reason or None,
        "sentence": noise_words.sentence(found),
        "days_apart": LAGS.tolist(),
        "pairs": None if found.pairs is None else found.pairs.tolist(),
        "around_the_lines": resemblance(found.days),
        "left_over": resemblance(found.news),
        "departs_at": found.departs,
        **{name: posterior(getattr(found, name)) for name in ("phi", "share", "rho")},
    }


def _source(source: Source) -> dict[str, Any]:
    sent, answered = source.prompts or (None, None)
    return {"file": source.file, "sha256": source.sha256, "prompts": sent, "prompts_answered": answered}


def _missing(found: MissingDays) -> dict[str, Any]:
    return {
        "adherence": found.adherence.drop(columns="label").to_dict("records"),
        "weekdays": found.weekdays.drop(columns="label").to_dict("records"),
        "after_bad_days": [_record(each) for each in found.after_bad_days],
        "tipping_points": [_record(each) for each in found.tipping_points],
    }


def _estimate(each: Estimate, reading: str, kind: str | None) -> dict[str, Any]:
    numbers = (
        "before",
        "after",
        "value",
        "low",
        "high",
        "important_change",
        "p_gain",
        "p_important_gain",
        "p_important_loss",
        "detectable",
    )
    found = {name: _finite(getattr(each, name)) for name in numbers}
    return {
        "outcome": each.outcome.name,
        "label": each.outcome.label,
        "primary": bool(each.primary),
        "headline": bool(each.headline),
        "question": each.question,
        "status": each.status,
        "reason": each.reason or None,
        **found,
        "confidence": each.confidence,
        "unit": each.unit,
        "better": each.better,
        "bands": [float(share) for share in each.bands] if math.isfinite(each.bands[0]) else None,
        "reading": reading,
        "reading_kind": kind,
        "days": [int(days) for days in each.days],
        "method": each.method,
        "noise": {
            "day_to_day": [_finite(x) for x in (each.lag1, each.lag1_low, each.lag1_high)],
            "phi": [_finite(x) for x in (each.phi, each.phi_low, each.phi_high)],
            "white_share": _finite(each.white_share),
            "effective_days": [_finite(each.effective_before), _finite(each.effective_after)],
        },
    }


def _alternative(each: Alternative, agreed: bool) -> dict[str, Any]:
    numbers = ("value", "low", "high", "p_gain", "p_important_gain", "p_important_loss")
    estimate = each.estimate
    return {
        "specification": each.name,
        "title": words.choice_title(each),
        "status": each.status,
        "reason": each.reason or None,
        **{name: None if estimate is None else _finite(getattr(estimate, name)) for name in numbers},
        "reading": None if estimate is None or not estimate.ok else words.choice_verdict(estimate, agreed),
        "reading_kind": None if estimate is None else estimate.reading or None,
        "same_reading": each.same if each.status == "ok" else None,
        "days": None if estimate is None else [int(days) for days in estimate.days],
        "method": None if estimate is None else estimate.method,
    }


def choose_look(trial: Trial, after_session: int | None = None, on: dt.date | None = None) -> Look:
    """Which look is meant: the protocol's deciding one, or another by session or date?

    A planned look keeps its own window length.
    """
    if after_session is None and on is None:
        return trial.default_look()
    for planned in trial.protocol.looks:
        if planned.after_session == after_session and planned.on == on:
            return planned
    return Look(on=on, after_session=after_session)


def _is_interim(trial: Trial, day: dt.date) -> bool:
    """Is this a look before the planned one that carries the verdict?"""
    planned = trial.protocol.deciding_look
    if planned is None:
        return False
    if planned.on is None and len(trial.protocol.attended) < (planned.after_session or 0):
        return True
    return day < trial.look_day(planned)


def reassess(
    trial: Trial, *, after_session: int | None = None, on: dt.date | None = None, confidence: float = 0.95
) -> Reassessment:
    """What changed, by how much, how sure can we be, and was it as much as was agreed to matter?

    Parameters
    ----------
    trial
        The diary read against its protocol.
    after_session
        Look as it stood before this attended session, instead of the protocol's reassessment.
    on
        Look as it stood on the morning of this day.
    confidence
        Of the intervals.

    Returns
    -------
    Reassessment
        Answers that cannot be estimated say why; they are never filled in.

    Raises
    ------
    ProtocolError
        If the look is bound to a session that has not taken place, or the data have errors that would
        make every answer wrong.
    """
    met = problems_of(trial)
    if met and met[0].severity == "error":
        raise ProtocolError(problem for problem in met if problem.severity != "note")
    look = choose_look(trial, after_session, on)
    day = trial.look_day(look)
    first = trial.protocol.first_treatment
    if first is not None and day <= first.start:
        place = f"reassessment on {day}"
        raise UsageError(
            [Problem("error", place, f"treatment began on {first.start}.", "Choose a later day or session.")]
        )
    stood = trial.at(look)
    safety = trial.safety_at(day)
    comparisons = stood.comparisons(look)
    estimates = estimate_all(comparisons, confidence=confidence)
    return Reassessment(
        trial=stood,
        look=look,
        day=day,
        window_days=stood.protocol.window_days(look),
        comparisons=comparisons,
        estimates=estimates,
        verdict=judge(stood, comparisons, estimates, safety, interim=_is_interim(trial, day)),
        success=judge_success(stood, comparisons, estimates, safety),
        safety=safety,
        problems=met,
    )
