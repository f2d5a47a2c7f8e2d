"""The few kinds of thing a report is made of; each draws itself by its own template, everything escaped."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from acu_nof1 import palette, words
from acu_nof1.words import direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


# A line is broken at spaces and hyphens, not at no-break spaces.
WORDS = re.compile(r"[^ \n\t-]+-?")


@cache
def environment() -> Environment:
    """Return the templates; every text is escaped unless a block made it itself."""
    made = Environment(
        loader=PackageLoader("acu_nof1.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=isolated,
    )
    made.filters["attribute"] = attribute
    return made


def isolated(value: Any) -> Any:
    """Escape a text, with what runs from right to left isolated, so that numbers and brackets beside it stay in order."""
    if type(value) is not str or value.isascii():
        return value
    pieces = direction.runs(direction.unturned(value))
    return Markup("").join(Markup("<bdi>{}</bdi>").format(piece) if turned else piece for piece, turned in pieces)


def attribute(text: str) -> Markup:
    """Escape a text that stands where no tag can stand."""
    return escape(direction.unturned(text))


@cache
def css() -> Markup:
    """Return the one style sheet of page and notebook, coloured by `acu_nof1.palette`."""
    return Markup(environment().get_template("report.css").render(palette=palette))


@cache
def wrapping() -> tuple[str, str]:
    """Return what stands before and after a block in a notebook: its style. A page holds the style once."""
    return f'<style>{css()}</style><div class="acu">', "</div>"


def unwrapped(html: str) -> str:
    """Return a block of a notebook's output as it stands on a page."""
    before, after = wrapping()
    return html.removeprefix(before).removesuffix(after)


@dataclass(frozen=True)
class Block:
    """A part of a report that a notebook can show."""

    template: ClassVar[str]

    @property
    def html(self) -> Markup:
        """The block as HTML, without style."""
        return Markup(environment().get_template(self.template).render(block=self))

    @property
    def parts(self) -> tuple[Block, ...]:
        """The blocks inside this one."""
        return ()

    def walk(self) -> Iterator[Block]:
        """Yield the block and everything inside it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def _repr_html_(self) -> str:
        before, after = wrapping()
        return f"{before}{self.html}{after}"

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        facts: dict[str, Any] = {
            "failed": [block.message for block in self.walk() if isinstance(block, Failed)],
            "title": next((block.heading for block in self.walk() if isinstance(block, Title)), None),
        }
        data = {"text/html": self._repr_html_(), "text/plain": self.html.striptags()}
        return data, {"acu_nof1": {name: fact for name, fact in facts.items() if fact}}


@dataclass(frozen=True)
class Section(Block):
    """Blocks that belong together: one cell of the notebook."""

    template = "section.html"
    name: str
    blocks: tuple[Block, ...]

    @property
    def parts(self) -> tuple[Block, ...]:
        """The blocks inside."""
        return self.blocks


@dataclass(frozen=True)
class Heading(Block):
    """A heading between blocks; level 2 or 3."""

    template = "heading.html"
    text: str
    level: int = 2


@dataclass(frozen=True)
class Title(Block):
    """The head of the page: who, what for, when, and what was agreed."""

    template = "title.html"
    heading: str
    aside: str
    lines: tuple[str, ...]

    # A longer heading is set smaller, so that the answer still fits on the first page.
    LONG: ClassVar[int] = 70


@dataclass(frozen=True)
class Alarm(Block):
    """What overrules the diary: stands before everything else."""

    template = "alarm.html"
    first: str
    rest: str


@dataclass(frozen=True)
class Notice(Block):
    """A line with a mark beside it, begun by a word in bold."""

    template = "notice.html"
    start: str
    text: str


@dataclass(frozen=True)
class Quote(Block):
    """What a person wrote, in its own direction, begun by a word in bold."""

    template = "quote.html"
    start: str
    text: str


@dataclass(frozen=True)
class Statement(Block):
    """The sentence, as pieces that are or are not emphasised."""

    template = "statement.html"
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Badge(Block):
    """The verdict in a few words, what was agreed and the chances; below it what else could explain the change."""

    template = "badge.html"
    text: str
    beside: tuple[str, ...]
    mind: str
    caveats: tuple[str, ...]


@dataclass(frozen=True)
class Bands(Block):
    """Seven whole shares that add to 100, with their labels."""

    template = "bands.html"
    title: str
    labels: tuple[str, ...]
    shares: tuple[int, ...]

    # A segment narrower than this holds no number, or no label below it.
    NUMBER: ClassVar[int] = 5
    LABEL: ClassVar[int] = 17

    @property
    def said(self) -> tuple[tuple[int, str, int, str], ...]:
        """Number, label, share and share in words of each band."""
        return tuple(
            (index, label, share, words.band_share(share))
            for index, (label, share) in enumerate(zip(self.labels, self.shares, strict=True), 1)
        )


@dataclass(frozen=True)
class Hundred(Block):
    """Chances as people: for each a hundred dots, so many of them filled, and what is true for those."""

    template = "hundred.html"
    title: str
    rows: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Picture(Block):
    """A figure with its alternative text; two on one page need names that tell them apart."""

    template = "picture.html"
    svg: str
    alt: str
    name: str = words.FIGURE

    @property
    def source(self) -> str:
        """The figure inside the page, so that nothing is fetched."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg.encode()).decode()


@dataclass(frozen=True)
class Table(Block):
    """A table: the first column names the row; numeric columns are set to the right."""

    template = "table.html"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""
    marks: tuple[str, ...] = ()

    # A longer table is set smaller; one as short as this is not split between two pages.
    LONG: ClassVar[int] = 6
    TOGETHER: ClassVar[int] = 14
    # Letters: a longer word may be broken anywhere, a cell this short stays in one line, and so does a number.
    WORD: ClassVar[int] = 18
    CELL: ClassVar[int] = 11
    NUMBER: ClassVar[int] = 24
    # Letters that stand side by side on A4, room between columns included; a table that needs more is set smaller.
    # A column of sentences is not squeezed below its room.
    LINE: ClassVar[int] = 126
    ROOM: ClassVar[int] = 22

    def looks(self, column: int, cell: str) -> str:
        """Return the classes of a cell: where it stands, and whether its line and its words may be broken."""
        number = column in self.numeric
        whole = len(cell) <= (self.NUMBER if number else self.CELL)
        long = not whole and any(len(word) > self.WORD for word in WORDS.findall(cell))
        named = (("acu-number", number), ("acu-whole", whole and bool(cell)), ("acu-long-word", long))
        return " ".join(name for name, there in named if there)

    @property
    def size(self) -> str:
        """Return the classes of the table."""
        count = len(self.rows)
        named = (
            ("acu-long", count > self.LONG),
            ("acu-together", count <= self.TOGETHER),
            ("acu-wide", self._line > self.LINE),
        )
        return " ".join(name for name, there in named if there)

    @property
    def _line(self) -> int:
        """How many letters stand side by side when no word and no short cell is broken."""
        cells = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return sum(
            2 + max(_widest_word(head, self.WORD), *(self._kept(column, cell) for cell in each), 0)
            for column, (head, each) in enumerate(zip(self.columns, cells, strict=True))
        )

    def _kept(self, column: int, cell: str) -> int:
        whole = len(cell) <= (self.NUMBER if column in self.numeric else self.CELL)
        return len(cell) if whole else max(_widest_word(cell, self.WORD), min(len(cell), self.ROOM))


def _widest_word(text: str, most: int) -> int:
    return min(max(map(len, WORDS.findall(text)), default=0), most)


@dataclass(frozen=True)
class Listing(Block):
    """A headed list; level 2 or 3."""

    template = "listing.html"
    title: str
    items: tuple[str, ...]
    level: int = 2


@dataclass(frozen=True)
class Decision(Block):
    """The box that closes the answer: what was found and by which rule; who decides."""

    template = "decision.html"
    title: str
    strong: str
    items: tuple[str, ...]
    last: str


@dataclass(frozen=True)
class Columns(Block):
    """Two blocks side by side; below one another on a narrow screen."""

    template = "columns.html"
    left: Block
    right: Block

    @property
    def parts(self) -> tuple[Block, ...]:
        """Both blocks."""
        return self.left, self.right


@dataclass(frozen=True)
class Note(Block):
    """Small print, one paragraph a line."""

    template = "note.html"
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Failed(Block):
    """A part that could not be drawn: says so where it would have stood."""

    template = "failed.html"
    message: str


def page(title: str, sections: Iterable[Markup], reader: str = "clinician") -> str:
    """Put sections into one self-contained HTML file, set for its reader."""
    return environment().get_template("page.html").render(title=title, css=css(), sections=sections, reader=reader)
