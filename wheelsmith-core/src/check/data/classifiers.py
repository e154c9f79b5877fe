"""Writes `classifiers.txt` from the `trove-classifiers` package: `python classifiers.py`.

One classifier a line, sorted. Behind a tab, a deprecated one has its successors with tabs between
them, or a `-` where there is none.
"""

import importlib.metadata
import pathlib

from trove_classifiers import all_classifiers, classifiers, deprecated_classifiers

lines = [f"# Written by classifiers.py from trove-classifiers {importlib.metadata.version('trove-classifiers')}."]
lines += sorted(classifiers)
lines += sorted("\t".join([old, *(new or ["-"])]) for old, new in deprecated_classifiers.items())
pathlib.Path(__file__).with_name("classifiers.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
