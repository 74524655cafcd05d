#!/usr/bin/env python3
"""Rules about the text of the repository that no compiler checks. Usage: hygiene.py ROOT"""

import os
import re
import sys

FOLDERS = ["include", "src", "tests", "examples", "benchmarks", "profiling", "bazel", "docs", ".ci"]
CODE = (".h", ".cc")
TEXT = CODE + (".bzl", ".py", ".sh", ".md", "BUILD", "WORKSPACE", "bazelw", "run", ".txt")
MAX_LINES = 600

# Only these may write to a standard stream: the library never prints, except when it dies.
MAY_PRINT = {"src/base/check.cc"}

ATOMIC_CALL = re.compile(
    r"(?:\.|->)(load|store|exchange|fetch_\w+|compare_exchange_\w+|test_and_set)\(")
MARK = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
PRINT = re.compile(
    r"std::(?:cout|cerr|clog)\b|(?<![\w:])(?:std::)?(?:printf|fprintf|puts|fputs|perror)\(")
FENCE = "atomic_thread" + r"_fence\b"  # Relacy's own have a suffix


class Report:
    """Prints the findings and counts them."""

    def __init__(self):
        self.count = 0

    def __call__(self, path, line, what):
        self.count += 1
        print("%s:%d: %s" % (path, line, what))


def files(root):
    """The paths of the text files, relative to the root."""
    for folder in FOLDERS:
        for where, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f not in ("results", "data")]
            for name in names:
                if name.endswith(TEXT):
                    yield os.path.relpath(os.path.join(where, name), root)


def without_comments(text):
    """Blanks comments and string literals, and keeps the lines."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def arguments(code, start):
    """The text of a call from its opening parenthesis to the closing one."""
    depth = 0
    for i in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[i], 0)
        if depth == 0:
            return code[start:i]
    return code[start:]


def check_text(report, path, text):
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        report(path, len(lines), "no newline at the end")
    if len(lines) - 1 > MAX_LINES:
        report(path, len(lines), "more than %d lines: split the file" % MAX_LINES)
    for number, line in enumerate(lines, 1):
        if MARK.search(line):
            report(path, number, "open an issue instead of a mark in the text")
        if line != line.rstrip() and not path.endswith(".md"):
            report(path, number, "white space at the end of the line")
        if "\t" in line:
            report(path, number, "tab")


def check_guard(report, path, text):
    name = path[len("include/"):] if path.startswith("include/") else "isolates/" + path
    guard = re.sub(r"[^A-Z0-9]", "_", name.upper()) + "_"
    if "#ifndef %s\n#define %s\n" % (guard, guard) not in text:
        report(path, 1, "the header guard must be " + guard)


def check_code(report, path, code, destroys):
    for match in re.finditer(FENCE, code):
        report(path, line_of(code, match.start()),
               FENCE + ": ThreadSanitizer does not see it; order the operations themselves")
    if not path.startswith(("include/", "src/")):
        return
    for match in re.finditer(r"\bmi_heap_(delete|destroy)\s*\(", code):
        where = (path, line_of(code, match.start()))
        if match.group(1) == "delete":
            report(*where, "mi_heap_delete is called nowhere (rule H4)")
        else:
            destroys.append(where)
    for match in ATOMIC_CALL.finditer(code):
        if not re.search(r"order", arguments(code, match.end() - 1), re.IGNORECASE):
            report(path, line_of(code, match.start()),
                   match.group(1) + " without an explicit memory order")
    if path not in MAY_PRINT:
        for match in PRINT.finditer(code):
            report(path, line_of(code, match.start()), "the library never prints")


def main():
    root = os.path.realpath(sys.argv[1])
    report = Report()
    destroys = []
    count = 0
    for path in sorted(files(root)):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        count += 1
        check_text(report, path, text)
        if path.endswith(".h"):
            check_guard(report, path, text)
        if path.endswith(CODE):
            check_code(report, path, without_comments(text), destroys)
    if len(destroys) != 1:
        for where in destroys or [("src/heap", 1)]:
            report(*where, "mi_heap_destroy must have exactly one caller (rule H8), not %d"
                   % len(destroys))
    print("%d files, %d findings" % (count, report.count))
    return 1 if report.count else 0


if __name__ == "__main__":
    sys.exit(main())
