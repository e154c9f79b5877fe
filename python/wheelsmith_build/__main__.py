"""`python -m wheelsmith_build`: runs the program."""

import os
import subprocess
import sys

from . import program


def main():
    words = [program()] + sys.argv[1:]
    if os.name == "nt":
        sys.exit(subprocess.call(words))
    os.execvp(words[0], words)


if __name__ == "__main__":
    main()
