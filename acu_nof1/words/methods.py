"""How the answers were made, as a paragraph for those who report them: only what was done, no stronger than the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.nodes import ROBUST, ROBUST_COUNTS
from acu_nof1.interpret import LIKELY, SURE, UNLIKELY
from acu_nof1.words.change import name_in_sentence, threshold
from acu_nof1.words.numbers import date, listing, percent
from acu_nof1.words.page import better_direction, unit_axis
from acu_nof1.words.randomisation import ORDERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Phase, Protocol
    from acu_nof1.trial import Comparisons
    from acu_nof1.words.change import Telling

HEADING = "Methods, as they were used here"
NOT_READ = "While a red flag or a serious event stands, no answer is read and no success is judged."
PHASES: Mapping[str, str] = {
    "baseline": "baseline",
    "treatment": "treatment",
    "washout": "wash-out",
    "follow_up": "follow-up",
}
KEPT: Mapping[str, str] = {"day": "daily", "week": "weekly", "visit": "at visits"}


def paragraph(
    protocol: Protocol,
    day: dt.date,
    tell: Telling,
    comparisons: Comparisons,
    headlines: Sequence[Estimate],
    versions: Mapping[str, str],
    *,
    read: bool,
) -> str:
    """Say how the answers were made: design, outcome, days, models and priors, rules, looks, software.

    Parameters
    ----------
    protocol
        As it stood at the look.
    day
        The look.
    tell
        How the days are named.
    comparisons
        The series that were compared.
    headlines
        The answer of each outcome that was read.
    versions
        Of the package and of what it computes with.
    read
        Whether answers are read at all: not where a red flag or a serious event overrules them.
    """
    primary = next((each for each in headlines if each.primary), None)
    said = (
        design(protocol),
        *_outcome(protocol, primary, tell),
        _days(protocol, primary, day, tell),
        *_models(comparisons.outcomes, primary),
        _missing(comparisons),
        *((_rules(primary), *_success(protocol)) if read else (NOT_READ,)),
        looks(protocol),
        f"Computed with {listing(f'{name} {version}' for name, version in versions.items())}.",
    )
    return " ".join(said)


def phase(each: Phase) -> str:
    """Name a phase with its length: 14 days of baseline."""
    return f"{each.days} days of {PHASES[each.kind]}"


def design(protocol: Protocol) -> str:
    """Say what was done with whom, in which order, and whether any of it was drawn at random."""
    phases = listing(phase(each) for each in protocol.phases)
    kind = "an N-of-1 trial" if protocol.is_n_of_1_trial else "a before–after comparison, not an N-of-1 trial"
    return f"One person, {phases} (design {protocol.design}): {kind}. {randomised(protocol)}"


def randomised(protocol: Protocol) -> str:
    """Say whether starts or the order of phases were drawn at random, and from which."""
    if protocol.drawn is not None:
        of = protocol.drawn
        seed = "" if of.seed is None else f", seed {of.seed}"
        return f"Drawn at random: the order of phases from {date(of.start)} on ({ORDERS[of.design]}{seed})."
    drawn = [each for each in protocol.phases if each.randomised]
    if not drawn:
        return "No start of a phase was drawn at random."
    said = (
        f"the start of the {PHASES[each.kind]} on {date(each.start)} from {date(each.randomised_from)} to {date(each.randomised_to)}"
        for each in drawn
        if each.randomised_from is not None and each.randomised_to is not None
    )
    return f"Drawn at random: {listing(said)}."


def _outcome(protocol: Protocol, primary: Estimate | None, tell: Telling) -> Iterator[str]:
    if primary is None:
        return
    outcome = primary.outcome
    better = better_direction(outcome).rstrip(" ↓↑")
    # The person's overall rating is compared with nothing.
    others = sum(not each.is_global for each in protocol.outcomes) - 1
    yield f"Primary outcome: {unit_axis(outcome)} ({better}), kept {KEPT[outcome.every]}. {threshold(primary, tell)}"
    if others:
        yield "The other outcome is exploratory." if others == 1 else f"The {others} other outcomes are exploratory."


def _days(protocol: Protocol, primary: Estimate | None, day: dt.date, tell: Telling) -> str:
    run_in = f" The first {protocol.run_in_days} days of treatment entered nothing." if protocol.run_in_days else ""
    if primary is not None and primary.outcome.every == "visit":
        return f"The score nearest to the look was compared with the last one before treatment; looked at on {date(day)}.{run_in}"
    weekly = primary is not None and primary.outcome.every == "week"
    average = "The mean of the levels" if tell.several_phases else f"The average {'week' if weekly else 'day'}"
    return f"{average} {tell.after} was compared with that {tell.before}; looked at on {date(day)}.{run_in}"


def _models(outcomes: Iterable[Outcome], primary: Estimate | None) -> Iterator[str]:
    """Yield the model of each kind of outcome that there is."""
    kinds = list(outcomes)
    daily = [each for each in kinds if each.every == "day"]
    levels = [each for each in daily if each.kind != "yes_no"]
    if levels:
        counts, ratings = (any(each.is_amount is wanted for each in levels) for wanted in (True, False))
        yield (
            "Daily values were fitted by straight-line models whose noise is a first-order autoregression on the calendar "
            "(correlation φ to the power k at k days apart) plus a share λ of independent day noise, with a standard deviation "
            "of its own before and during treatment."
        )
        if primary is not None and primary.outcome in levels and primary.ok:
            yield f"Primary answer: {primary.method}."
        yield f"Priors: coefficients flat, scale 1/σ, φ arcsine; {'; '.join(_priors(ratings=ratings, counts=counts))}."
        yield (
            "These were integrated out on a grid, so that every interval comes from a mixture of t distributions and holds "
            "what is not known of the noise."
        )
    if any(each.is_amount for each in levels):
        yield "Ratios of amounts follow by Fieller’s theorem inside the mixture."
    if any(each.kind == "yes_no" for each in daily):
        yield (
            "Yes/no days were taken for a Markov chain with a share of days on each side (Beta(½, ½) priors) and a common "
            "correlation of neighbouring days (arcsine prior), summed over grids."
        )
    if len(kinds) > len(daily):
        yield "Weekly and visit scores have an interval from their declared standard error of measurement, else none."
    if any(each.low is not None and each.high is not None for each in levels):
        yield "Intervals were cut at what the ends of a scale allow."


def _priors(*, ratings: bool, counts: bool) -> Iterator[str]:
    both = ratings and counts
    if ratings:
        yield (f"{'for ratings and scores ' if both else ''}λ none with probability {ROBUST.share_atom:g}, else uniform, and "
               f"log ratio of the SDs normal with SD {ROBUST.ratio_sd:g}")  # fmt: skip
    if counts:
        yield f"{'for amounts ' if both else ''}λ uniform and log ratio of the SDs normal with SD {ROBUST_COUNTS.ratio_sd:g}"


def _missing(comparisons: Comparisons) -> str:
    daily = [row for row, outcome in enumerate(comparisons.outcomes) if outcome.every == "day"]
    chosen = [row for row in daily if comparisons.primary[row]] or daily
    kept = "Days without an answer stayed missing and kept their place on the calendar; none was filled in"
    if not chosen:
        return f"{kept}."
    row = chosen[0]
    answered, days = int(comparisons.answered[row].sum()), int((comparisons.phase[row] >= 0).sum())
    name = name_in_sentence(comparisons.outcomes[row])
    return f"{kept} ({name}: {answered} of {days} days answered). A side with fewer than {MINIMUM_DAYS} answered days was not estimated."


def _rules(primary: Estimate | None) -> str:
    likely, sure, unlikely = (f"{100 * each:g} in 100" for each in (LIKELY, SURE, UNLIKELY))
    confidence = percent(primary.confidence) if primary is not None else percent(0.95)
    return (
        f"Readings rest on posterior chances, not on tests: “improved” or “worse” needs a chance of {likely} of an important gain, "
        f"or of a loss of at least half that size, and {sure} of any gain or loss; any gain or loss alone needs {sure}; an amount counts as less than important "
        f"at {unlikely} or below; “no important change” needs {likely}; else “cannot say”. Intervals are {confidence}."
    )


def _success(protocol: Protocol) -> Iterator[str]:
    rule = protocol.success
    if rule is None:
        return
    names = [name_in_sentence(protocol.outcome(name)) for name in rule.outcomes]
    joined = "; their chances were joined by a Gaussian copula learned from the days" if len(names) > 1 else ""
    which = "in" if len(names) == 1 else "in all of" if rule.all else "in at least one of"
    yield (f"Success rule: an important gain {which} {listing(names)}, met from a chance of {100 * LIKELY:g} in 100 where a gain is sure "
           f"({100 * SURE:g} in 100), and not met up to {100 * UNLIKELY:g}{joined}.")  # fmt: skip


def looks(protocol: Protocol) -> str:
    """Say how many looks were planned."""
    planned = len(protocol.looks)
    if planned < 2:
        return "One look was planned." if planned else "No look was planned beforehand."
    return f"{planned} looks were planned; one carries the verdict, and intervals are not widened for the others."
