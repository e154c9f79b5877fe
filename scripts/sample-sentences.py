#!/usr/bin/env python3
"""Prints sentences from doc comments, help texts and documentation, chosen by a seed, for review.

    scripts/sample-sentences.py --seed 7 --count 200
"""

import argparse
import random
import re
import subprocess
from pathlib import Path
from typing import Iterator, List, Tuple

REPOSITORY = Path(__file__).resolve().parent.parent
END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`\"(*\[])")
Found = Tuple[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    sentences = sorted(set(every_sentence()))
    chosen = random.Random(options.seed).sample(sentences, min(options.count, len(sentences)))
    for number, (place, sentence) in enumerate(chosen, 1):
        print(f"{number:3}  {place}\n     {sentence}")
    print(f"\n{len(chosen)} of {len(sentences)} sentences, seed {options.seed}")


def every_sentence() -> Iterator[Found]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    )
    for name in listed.stdout.split("\0"):
        path = REPOSITORY / name
        if not path.is_file() or "/testdata/" in f"/{name}":
            continue
        if name.endswith(".rs"):
            blocks = comments(path.read_text(), r"\s*//[/!] ?", r"\s*#\[|\s*(pub|fn|struct|enum|mod)\b")
        elif name.endswith(".md") and not name.startswith("tests/"):
            blocks = prose(path.read_text())
        elif name.endswith((".sh", ".py")):
            blocks = comments(path.read_text(), r"\s*# ?", r"$^")
        else:
            continue
        for line, block in blocks:
            for sentence in END.split(block):
                if len(sentence.split()) >= 4:
                    yield f"{name}:{line}", sentence.strip()


def comments(text: str, marker: str, _end: str) -> Iterator[Tuple[int, str]]:
    """Comment blocks, each with the number of its first line."""
    block: List[str] = []
    start, in_code = 0, False
    for number, line in enumerate(text.splitlines() + [""], 1):
        match = re.match(marker, line)
        content = line[match.end() :].strip() if match else None
        if content is not None and content.startswith("```"):
            in_code = not in_code
            content = ""
        if content and not in_code and not content.startswith(("|", "!", "#", "shellcheck")):
            if not block:
                start = number
            block.append(content)
        else:
            if block:
                yield start, " ".join(block)
            block = []
            in_code = in_code and content is not None


def prose(text: str) -> Iterator[Tuple[int, str]]:
    """Paragraphs, list items and table cells, each with the number of its first line."""
    block: List[str] = []
    start, in_code = 0, False
    for number, line in enumerate(text.splitlines() + [""], 1):
        bare = line.strip()
        if bare.startswith("```"):
            in_code = not in_code
            bare = ""
        is_item = bool(re.match(r"([-*]|\d+\.) ", bare))
        if (not bare or bare.startswith(("#", "|", "<!--")) or is_item) and block:
            yield start, " ".join(block)
            block = []
        if in_code or not bare or bare.startswith(("#", "<!--")):
            continue
        if bare.startswith("|"):
            for cell in bare.strip("|").split("|"):
                if len(cell.split()) >= 4:
                    yield number, cell.strip()
            continue
        if not block:
            start = number
        block.append(re.sub(r"^([-*]|\d+\.) ", "", bare))


if __name__ == "__main__":
    main()
