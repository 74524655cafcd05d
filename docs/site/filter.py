#!/usr/bin/env python3
"""Doxygen's view of one file. Usage: filter.py FILE"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import headers  # noqa: E402
import pages  # noqa: E402


def main():
    path = sys.argv[1]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if path.endswith(".h"):
        sys.stdout.write(headers.convert(text))
    else:
        sys.stdout.write(pages.convert(os.path.relpath(path), text))


if __name__ == "__main__":
    main()
