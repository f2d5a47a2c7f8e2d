"""``python -m acu_nof1`` is the command line."""

from acu_nof1.cli import main

main()
