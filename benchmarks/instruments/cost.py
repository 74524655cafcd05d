#!/usr/bin/env python3
"""What the instruments cost: instructions of an operation and time of round trips, without them,
with counters (as by default), and with a trace. Builds the library twice and runs the three in
turn. On a machine that others use: under `chrt -r 20` (not -f: the main thread must get its turn).
Usage: python3 benchmarks/instruments/cost.py [--rounds N] [--count N] [--json FILE]"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "gate"))
import gate  # pylint: disable=wrong-import-position

PROGRAMS = {"with-driver": ("gate", "driver"),
            "with-round_trips": ("instruments", "round_trips"),
            "without-driver": ("instruments", "driver_without"),
            "without-round_trips": ("instruments", "round_trips_without")}
OPERATIONS = ["send_receive_8", "send_receive_64", "round_trip_8", "round_trip_64", "run_result"]
VARIANTS = ["without", "counters", "trace"]


def build(folder):
    targets = ["//benchmarks/%s:%s" % place for place in PROGRAMS.values()]
    subprocess.run(["bazel/bazelw", "build", "-c", "opt"] + targets, cwd=ROOT, check=True)
    for name, place in PROGRAMS.items():
        # Copies: other builds may come meanwhile.
        shutil.copy2(os.path.join(ROOT, "bazel-bin", "benchmarks", *place),
                     os.path.join(folder, name))


def program(folder, variant, name):
    return os.path.join(folder, ("without-" if variant == "without" else "with-") + name)


def count_instructions(folder, operation, variant):
    planted = ["trace"] if variant == "trace" else []
    counted = gate.count(program(folder, variant, "driver"), operation, planted)
    return counted["instructions"]


def run_round_trips(folder, variant, count):
    command = [program(folder, variant, "round_trips"), str(count)]
    if variant == "trace":
        command.append("trace")
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def show(title, unit, rows):
    print("%-24s %12s %12s %8s %12s %8s" % (title, "without", "counters", "", "trace", ""))
    for name, values in rows.items():
        base = values["without"]
        print("%-24s %9.1f %s %9.1f %s %+7.1f%% %9.1f %s %+7.1f%%" % (
            name, base, unit, values["counters"], unit, 100 * (values["counters"] / base - 1),
            values["trace"], unit, 100 * (values["trace"] / base - 1)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=200000)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(folder)
        times = {}
        for turn in range(options.rounds):
            # Each begins once in a while: what drifts meets all alike.
            for variant in VARIANTS[turn % 3:] + VARIANTS[:turn % 3]:
                for name, value in run_round_trips(folder, variant, options.count).items():
                    times.setdefault(name, {}).setdefault(variant, []).append(value)
        medians = {name: {variant: statistics.median(values) for variant, values in all_of.items()}
                   for name, all_of in times.items()}
        least = {name: {variant: min(values) for variant, values in all_of.items()}
                 for name, all_of in times.items()}
        instructions = {operation: {variant: count_instructions(folder, operation, variant)
                                    for variant in VARIANTS} for operation in OPERATIONS}
    show("instructions", "in", instructions)
    show("round trip, median", "ns", medians)
    show("round trip, least", "ns", least)
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump({"instructions": instructions, "round_trips": times}, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
