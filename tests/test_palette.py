"""Contrast, colour-blindness and grey print, worked out from the palette by published formulas."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from acu_nof1 import palette
from acu_nof1.plot import adherence, style

WHITE, NOTICE = "#ffffff", "#f4f4f0"
# Machado, Oliveira & Fernandes 2009, IEEE Trans Vis Comput Graph 15:1291, severity 1.0, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "none": np.eye(3),
}
# sRGB to XYZ (IEC 61966-2-1), D65.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
TELLABLE = 10.0  # CIE76 distance; 2.3 is just noticeable (Mahy et al. 1994, Color Res Appl 19:105).


def linear(colour: str) -> np.ndarray:
    """Linear RGB of ``#rrggbb`` (WCAG 2.2, relative luminance)."""
    coded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((float(linear(each) @ XYZ[1]) for each in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lab(colour: str, blindness: str = "none") -> np.ndarray:
    seen = np.clip(np.array(BLINDNESS[blindness]) @ linear(colour), 0, 1)
    ratio = XYZ @ seen / XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: str, other: str, blindness: str) -> float:
    return float(np.linalg.norm(lab(one, blindness) - lab(other, blindness)))


def over(colour: str, alpha: float, ground: str) -> str:
    parts = [
        round(alpha * int(colour[at : at + 2], 16) + (1 - alpha) * int(ground[at : at + 2], 16)) for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def test_contrast_and_distance_as_published():
    """WCAG: black on white is 21, #767676 on white is the lightest grey that passes 4.5; white and black are 100 apart."""
    assert contrast("#000000", WHITE) == pytest.approx(21)
    assert contrast("#767676", WHITE) > 4.5 > contrast("#777777", WHITE)
    assert apart("#000000", WHITE, "none") == pytest.approx(100, abs=0.1)
    # Red and green of one lightness: a deuteranope cannot tell them as others do.
    assert apart("#c0504d", "#6f8f2f", "deuteranopia") < apart("#c0504d", "#6f8f2f", "none") / 3


TEXTS = [
    *((ink, ground) for ink in (palette.INK, palette.GREY) for ground in (WHITE, NOTICE)),
    *((ink, WHITE) for ink in (palette.BEFORE, palette.AFTER, palette.AFTER_LEVEL, palette.EVENT, palette.ALARM)),
    *((palette.INK, shade) for shade in (palette.BEFORE_SHADE, palette.AFTER_SHADE)),
    (palette.AFTER_LEVEL, palette.AFTER_SHADE),
    *zip(palette.BAND_INKS, palette.BAND_COLOURS, strict=True),
]


@pytest.mark.parametrize(("ink", "ground"), TEXTS)
def test_text_stands_out_from_its_ground(ink, ground):
    """WCAG 2.2, 1.4.3: at least 4.5."""
    assert contrast(ink, ground) >= 4.5


BEFORE_GROUND = over(palette.BEFORE_FILL, 0.75, palette.BEFORE_SHADE)
AFTER_GROUND = over(palette.AFTER_FILL, 0.75, palette.AFTER_SHADE)
MARKS = [
    *((mark, WHITE) for mark in (palette.AFTER, palette.EVENT, palette.FAINT, palette.GREY)),
    *((palette.BEFORE, ground) for ground in (palette.BEFORE_SHADE, BEFORE_GROUND)),
    *((mark, ground) for mark in (palette.AFTER, palette.AFTER_LEVEL) for ground in (palette.AFTER_SHADE, AFTER_GROUND)),
    *((palette.FAINT, ground) for ground in (palette.BEFORE_SHADE, palette.AFTER_SHADE)),
    *((palette.EVENT, ground) for ground in (palette.BEFORE_SHADE, palette.AFTER_SHADE)),
]  # fmt: skip


@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_and_lines_stand_out_from_their_ground(mark, ground):
    """WCAG 2.2, 1.4.11: at least 3."""
    assert contrast(mark, ground) >= 3


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        *itertools.combinations((palette.BEFORE, palette.AFTER, palette.EVENT), 2),
        (palette.BEFORE, palette.AFTER_LEVEL),
        (palette.BEFORE_FILL, palette.AFTER_FILL),
        (palette.AFTER_LEVEL, palette.EVENT),
        (adherence.COLOURS["between"], adherence.COLOURS["window"]),
        *itertools.combinations(palette.BAND_COLOURS, 2),
    ],
)
def test_colours_that_mean_different_things_are_told_apart(blindness, one, other):
    assert apart(one, other, blindness) >= TELLABLE


def test_in_grey_neighbouring_bands_differ_and_worse_ones_are_hatched():
    """A grey printer keeps lightness alone: neighbours differ by it, and hatching tells the two ends apart."""
    lightness = [float(lab(colour)[0]) for colour in palette.BAND_COLOURS]
    assert all(abs(one - other) >= 8 for one, other in itertools.pairwise(lightness))
    assert all(palette.BAND_HATCHES[:3])
    assert not any(palette.BAND_HATCHES[3:])


def test_before_and_after_differ_by_more_than_colour():
    before, after = style.LEVELS
    assert before.line != after.line
    assert abs(lab(before.colour)[0] - lab(after.colour)[0]) >= 15
    assert "baseline" in adherence.HATCHES
    assert "window" not in adherence.HATCHES
