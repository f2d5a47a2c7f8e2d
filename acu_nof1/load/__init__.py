"""From files to nouns: diaries, protocols, trials."""

from __future__ import annotations

from acu_nof1.load.diaries import read_diary
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.layouts import LAYOUTS
from acu_nof1.load.propose import propose
from acu_nof1.load.protocols import read_protocol
from acu_nof1.load.trials import read_trial

__all__ = ["LAYOUTS", "Layout", "Measure", "propose", "read_diary", "read_protocol", "read_trial"]
