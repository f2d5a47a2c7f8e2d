"""The colours of figures and pages, told apart by people with colour-blindness and in grey."""

INK, GREY, FAINT, PALE = "#1b2130", "#5b6068", "#7a7f87", "#dfe1e4"
BEFORE, BEFORE_FILL, BEFORE_SHADE = "#6f604c", "#cbbfa9", "#f1ece1"
AFTER, AFTER_LEVEL, AFTER_FILL, AFTER_SHADE = "#1d6f8a", "#0b3a5c", "#a9c0cd", "#e2eef3"
EVENT = "#a3480f"
ALARM = "#8c1004"

# Worse by a lot … no difference … better by a lot; the worse ones are hatched as well.
BAND_COLOURS = ("#7a2e0e", "#c8672b", "#f0bd94", "#e9eaec", "#a9cfdf", "#4f97b3", "#0b3a5c")
BAND_INKS = ("#ffffff", "#000000", "#000000", "#000000", "#000000", "#000000", "#ffffff")
BAND_HATCHES = ("////", "////", "////", "", "", "", "")
