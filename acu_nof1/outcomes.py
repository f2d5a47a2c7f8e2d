"""What a diary asks: outcomes, their scales, which way is better, and how much change matters."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["rating", "score", "count", "minutes", "doses", "yes_no"]
Better = Literal["lower", "higher", "neither"]
Every = Literal["day", "week", "visit"]
Verified = Literal["yes", "partly", "no"]
How = Literal["days_at_or_above", "days_at_or_below", "flare_days"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS: tuple[Kind, ...] = ("rating", "score")
AMOUNTS: tuple[Kind, ...] = ("count", "minutes", "doses")

# How many of the base unit one of this unit is. Units of one family convert into each other.
UNITS: tuple[Mapping[str, float], ...] = (
    {"min": 1.0, "h": 60.0, "s": 1 / 60},
    {"mm": 1.0, "cm": 10.0},
)
SPELLINGS: Mapping[str, str] = {
    "minute": "min", "minutes": "min", "mins": "min", "m": "min",
    "second": "s", "seconds": "s", "sec": "s",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
    "millimetre": "mm", "centimetre": "cm",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Derived:
    """How a yes/no outcome is computed from the daily values of another.

    Attributes
    ----------
    how
        ``days_at_or_above`` or ``days_at_or_below`` a chosen level, or ``flare_days``.
    of
        Name of the other outcome.
    level
        The chosen level, in the unit of the other outcome.
    rise, floor
        For flares: how much worse than the median baseline day, and how bad at least; ``None`` for a fifth and for
        half of the other outcome's scale (2 and 5 on a scale of 0 to 10).
    """

    how: How
    of: str
    level: float | None = None
    rise: float | None = None
    floor: float | None = None

    def better(self, of: Better) -> Better:
        """Which way is better, given that of the other outcome: fewer bad days, more good ones."""
        if self.how == "flare_days" or of == "neither":
            return "lower" if self.how == "flare_days" else "neither"
        if self.how == "days_at_or_above":
            return of
        return "lower" if of == "higher" else "higher"


@dataclass(frozen=True, slots=True)
class EffectPrior:
    """What was held likely before the diary spoke: a normal distribution of the change.

    Attributes
    ----------
    mean, sd
        Of the change after − before, in the unit of the outcome's difference: −1 is one point lower.
    source
        Where it comes from.
    """

    mean: float
    sd: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question of the diary and its scale.

    Attributes
    ----------
    name
        The key it has in the protocol and in every table.
    kind
        ``rating`` or ``score`` (a bounded level), ``count``, ``minutes`` or ``doses`` (an amount that
        cannot be negative), ``yes_no`` (a day with or without it). The kind chooses the estimators.
    unit
        Unit of the values and of `important_change`.
    low, high
        Ends of the scale; ``None`` where it has none.
    better
        Which way is better; ``neither`` where more is not better or worse (time in bed).
    every
        ``day``, ``week`` or ``visit``.
    important_change
        The smallest change that matters, in `unit` (days per 28 for ``yes_no``).
    important_change_percent
        The same as a share of the level before, for ratios.
    source, verified
        Where the important change comes from, and whether that source was read.
    declared
        Whether the important change was set in the protocol rather than taken from the catalogue.
    sem
        Standard error of measurement of one answer, in `unit`; needed for an interval when the outcome
        is not kept daily.
    effect_prior
        A prior of the change, shown beside the answer under the flat one.
    labels
        What the answers are called on the form, from `low` upwards; for a rating of the change as a whole.
    form
        Which of the instrument's scores it is (``mean`` or ``sum``), where it was declared.
    items
        Titles of the columns with its items, in the order of the questionnaire, when it is scored from them.
    item_range
        First and last number of an item's answers as the file counts them, where that is not as usual.
    """

    name: str
    label: str
    kind: Kind
    unit: str = ""
    low: float | None = None
    high: float | None = None
    better: Better = "lower"
    every: Every = "day"
    important_change: float | None = None
    important_change_percent: float | None = None
    source: str = ""
    verified: Verified = "no"
    declared: bool = False
    instrument: str = ""
    title: str = ""
    domain: str = ""
    recall_days: int = 0
    step: float | None = None
    sem: float | None = None
    derived: Derived | None = None
    effect_prior: EffectPrior | None = None
    labels: tuple[str, ...] = ()
    form: str = ""
    items: tuple[str, ...] = ()
    item_range: tuple[float, float] | None = None

    @property
    def item_names(self) -> tuple[str, ...]:
        """What its items are called in the ledger: ``odi item 4``."""
        return tuple(f"{self.name} item {number}" for number in range(1, len(self.items) + 1))

    @property
    def is_global(self) -> bool:
        """Whether this rates the change as a whole (PGIC): it has no level before, so nothing is estimated from it."""
        return self.domain == "global"

    @property
    def is_flare(self) -> bool:
        """Whether a yes is a day in a flare, marked by the person or computed."""
        return self.domain == "flare" and self.kind == "yes_no"

    @property
    def sign(self) -> int:
        """+1 where higher is better, −1 where lower is, 0 where neither is."""
        return {"higher": 1, "lower": -1, "neither": 0}[self.better]

    @property
    def is_amount(self) -> bool:
        """Whether values are counts, minutes or doses, which cannot be negative."""
        return self.kind in AMOUNTS

    @property
    def change_unit(self) -> str:
        """Unit of a difference: days per 28 for yes/no days, else the unit of the values."""
        return "days per 28" if self.kind == "yes_no" else self.unit

    @property
    def span(self) -> float | None:
        """The largest change there can be, in `change_unit`; ``None`` where the scale has no end."""
        if self.kind == "yes_no":
            return 28.0
        return None if self.low is None or self.high is None else self.high - self.low

    @property
    def digits(self) -> int:
        """How many decimals a person needs to see: one on short scales, none on long ones."""
        if self.kind == "minutes" and base_unit(self.unit) == "min":
            return 0
        wide = self.high is not None and self.low is not None and self.high - self.low > 30
        return 0 if wide and base_unit(self.unit) != "h" else 1

    def in_unit(self, unit: str) -> Outcome:
        """Return the same outcome measured in another unit: range, change and error are converted.

        Raises
        ------
        ValueError
            If the two units do not measure the same thing.
        """
        factor, prior = conversion(self.unit, unit), self.effect_prior

        def scaled(value: float | None) -> float | None:
            return None if value is None else value * factor

        return replace(
            self,
            unit=unit,
            low=scaled(self.low),
            high=scaled(self.high),
            step=scaled(self.step),
            important_change=scaled(self.important_change),
            sem=scaled(self.sem),
            effect_prior=prior and EffectPrior(prior.mean * factor, prior.sd * factor, prior.source),
        )


def base_unit(unit: str) -> str:
    """Which unit is meant, whatever its spelling: ``hours`` and ``h/day`` are both ``h``."""
    word = unit.split("/")[0].split(" per ")[0].strip().lower()
    return SPELLINGS.get(word, word)


def conversion(source: str, target: str) -> float:
    """By what must a value in `source` be multiplied to be in `target`?

    Parameters
    ----------
    source, target
        Units such as ``min``, ``hours``, ``h/day``.

    Returns
    -------
    float
        ``60.0`` for hours to minutes.

    Raises
    ------
    ValueError
        If they do not measure the same thing.
    """
    have, want = base_unit(source), base_unit(target)
    if have == want:
        return 1.0
    for family in UNITS:
        if have in family and want in family:
            return family[have] / family[want]
    raise ValueError(f'values in "{source}" cannot be converted to "{target}"')


def _number(text: str) -> float | None:
    return float(text) if text else None


def _from_row(row: Mapping[str, str]) -> Outcome:
    return Outcome(
        name=row["id"],
        label=row["label"],
        kind=row["kind"],  # type: ignore[arg-type]  # held to the reference table by a test
        unit=row["unit"],
        low=_number(row["low"]),
        high=_number(row["high"]),
        better=row["better"],  # type: ignore[arg-type]
        every=row["every"],  # type: ignore[arg-type]
        important_change=_number(row["important_change"]),
        important_change_percent=_number(row["important_change_percent"]),
        source=row["source"],
        verified=row["verified"],  # type: ignore[arg-type]
        instrument=row["id"],
        title=row["name"],
        domain=row["domain"],
        recall_days=int(row["recall_days"]),
        step=_number(row["step"]),
    )


def _catalogue() -> dict[str, Outcome]:
    text = files("acu_nof1").joinpath("instruments.csv").read_text(encoding="utf-8")
    return {row["id"]: _from_row(row) for row in csv.DictReader(text.splitlines())}


OUTCOMES: Mapping[str, Outcome] = _catalogue()
