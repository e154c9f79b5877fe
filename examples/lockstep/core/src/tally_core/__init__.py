"""The program ``tally``."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["PROGRAM"]

_NAME = "tally.exe" if sys.platform == "win32" else "tally"
#: The program, which the command ``tally`` starts.
PROGRAM: Path = Path(__file__).resolve().parent / "bin" / _NAME
