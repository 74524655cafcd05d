#!/usr/bin/env python3
"""Compares this library with its peers on this machine. README.md says what and how."""

import argparse
import datetime
import json
import os
import sys

import build
import measure
from systems import CASES, PROGRAMS, WORKLOADS, Case

RECORD = ('{"id":1%09d,"name":"record %010d","tags":["a","bc","def"],'
          '"position":{"x":1.25,"y":2.5},"text":"a line of text in the record"}')


def say(text):
    print("peers: " + text, file=sys.stderr, flush=True)


def json_file(folder, size):
    """A document of about `size` bytes, a record in each line."""
    path = os.path.join(folder, "document_%d.json" % size)
    if not os.path.exists(path):
        count = max(1, size // (len(RECORD % (0, 0)) + 2))
        with open(path + ".part", "w", encoding="ascii") as file:
            file.write("[\n")
            for i in range(count):
                file.write(RECORD % (i, i) + (",\n" if i + 1 < count else "\n"))
            file.write("]\n")
        os.rename(path + ".part", path)
    return path


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true",
                        help="install the packages of packages.txt first")
    parser.add_argument("--quick", action="store_true",
                        help="only shows that everything runs: one short repetition")
    parser.add_argument("--only", default="", metavar="NAME,...", help="only these systems: "
                        + ", ".join(PROGRAMS))
    parser.add_argument("--workloads", default="", metavar="W1,...")
    parser.add_argument("--json", metavar="FILE", help="where the result goes as JSON")
    parser.add_argument("--repeat", type=int, default=7, help="repetitions that are kept")
    parser.add_argument("--isolates", metavar="FILE", help="the program of this library, built")
    parser.add_argument("--build-dir", default=build.default_folder())
    options = parser.parse_args()
    options.seconds, options.timeout, size = 0.3, 300, 100_000_000
    if options.quick:
        options.seconds, options.timeout, options.repeat, size = 0.02, 120, 1, 100_000
    options.only = [name for name in options.only.split(",") if name] or list(PROGRAMS)
    unknown = [name for name in options.only if name not in PROGRAMS]
    if unknown:
        parser.error("no such system: " + ", ".join(unknown))
    options.workloads = [w for w in options.workloads.split(",") if w] or list(WORKLOADS)
    options.build_dir = os.path.realpath(options.build_dir)
    os.makedirs(options.build_dir, exist_ok=True)
    options.cpus = measure.processors()
    options.file = json_file(options.build_dir, size)
    return options


def limits(raw, options):
    """The rows of W0: the limits themselves."""
    rows = []
    for kind, unit in [("bounce", "ns"), ("stream", "Mmsg/s")]:
        values = []
        for _ in range(options.repeat):
            value, error = measure.run(raw + [kind] + [str(c) for c in options.cpus], options.cpus,
                                       options.timeout)
            if value is None:
                raise RuntimeError(error)
            values.append(value)
        case = Case({"bounce": "raw bounce of a cache line",
                     "stream": "raw stream of 64 bytes"}[kind], "W0", "raw", kind, "pinned", "")
        row = measure.Row(case, raw, "")
        for value in values:
            row.add(value, value, value)
        rows.append(dict(row.result(), unit=unit))
    return rows


def number(value):
    return "" if value is None else "%.4g" % value


def print_table(results):
    for workload in WORKLOADS.values():
        rows = [r for r in results if r["workload"] == workload.name]
        if not rows:
            continue
        rows.sort(key=lambda r: (r["value"] is None, r["value"] or 0), reverse=workload.more)
        print("\n## %s %s\n" % (workload.name, workload.title))
        print("| system | median | min..max | ratio to raw | kept, dropped | placement | note |")
        print("|---|---|---|---|---|---|---|")
        for r in rows:
            print("| %s | %s %s | %s..%s | %s | %d, %d | %s | %s |" % (
                r["system"], number(r["value"]), r["unit"], number(r["min"]), number(r["max"]),
                number(r["ratio"]), r["kept"], r["dropped"], r["placement"], r["note"]))


def main():
    options = arguments()
    if len(set(options.cpus)) < 2:
        say("only one processor: nothing to compare")
        return 1
    if options.install:
        build.install(options.build_dir, set(options.only))
    try:
        raw = build.raw(options.build_dir)
    except build.Missing as missing:
        say("the limit of the machine: %s" % missing)
        return 1
    commands = {}
    for name in options.only:
        try:
            command = build.program(name, options.build_dir, options.isolates)
            commands[name] = (command, build.version(name, command))
        except build.Missing as missing:
            say("%s is skipped: %s" % (name, missing))
    say("processors %d and %d, %s" % (options.cpus + (datetime.datetime.now().isoformat(" ",
                                                                                        "minutes"),)))
    results = limits(raw, options) if "W0" in options.workloads else []
    for workload in WORKLOADS:
        rows = [measure.Row(case, *commands[case.program]) for case in CASES
                if case.workload == workload and case.program in commands
                and workload in options.workloads]
        if rows:
            say("%s: %d rows" % (workload, len(rows)))
            measure.measure(rows, raw, options, say)
            results.extend(row.result() for row in rows)
    print_table(results)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
