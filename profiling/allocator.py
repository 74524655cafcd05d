#!/usr/bin/env python3
"""Allocator behaviour across isolates: allocator.md."""

import os
import re
import tempfile

import experiment
from experiment import Missing, plots, split

# Name, program, argument.
SERIES = [("isolates, parcels", "allocator_program", ["parcels"]),
          ("isolates, values", "allocator_program", ["values"]),
          ("threads, mimalloc", "allocator_program", ["threads"]),
          ("threads, glibc", "allocator_glibc_program", [])]
PHASES = ["built and handed over", "a few strings kept", "every second dropped",
          "built again in the gaps", "all dropped", "trimmed", "after ten more rounds",
          "trimmed again"]
SEEN_BY_HEAPTRACK = ["calls to allocation functions", "peak heap memory consumption",
                     "total memory leaked"]


def heaptracked(this, program, arguments):
    """What heaptrack tells of a run, in the order of SEEN_BY_HEAPTRACK."""
    tracker, reader = this.tool("heaptrack"), this.tool("heaptrack_print")
    with tempfile.TemporaryDirectory() as folder:
        this.command([tracker, "-o", os.path.join(folder, "out"), this.program(program), *arguments,
                      "--quick"])
        file = next(name for name in os.listdir(folder) if name.startswith("out"))
        told = this.command([reader, "-f", os.path.join(folder, file)]).stdout
    facts = dict(re.findall(r"^([a-z ]+): (\S+)", told, re.MULTILINE))
    return [facts.get(what, "–") for what in SEEN_BY_HEAPTRACK]


def measure(this):
    quick = ["--quick"] if this.quick else []
    taken = {name: [] for name, _, _ in SERIES}
    for turn in range(1 if this.quick else 5):
        for name, program, arguments in SERIES[::1 if turn % 2 == 0 else -1]:
            taken[name].append(this.timed([this.program(program), *arguments, *quick]))
    medians = {name: experiment.median_of(runs) for name, runs in taken.items()}
    this.raw["rows"] = medians
    rows = {name: {row["name"]: row for row in some} for name, some in medians.items()}
    for what, title in [("resident", "Resident memory beyond the start, MiB"),
                        ("time", "Time of each phase, ms"), ("page faults", "Page faults")]:
        live = [("live", True)] if what == "resident" else []
        this.table("%s: medians of %d runs (smallest .. largest)" % (title, len(taken[name])),
                   [("after" if live else "phase", False)] + live
                   + [(series, True) for series, _, _ in SERIES],
                   [[phase] + ([rows["isolates, parcels"]["live: " + phase]["value"]] if live else [])
                    + ["%s (%s)" % (plots.short(rows[series][key]["value"]),
                                    experiment.spread(rows[series][key]))
                       for series, _, _ in SERIES]
                    for phase in PHASES for key in ["%s: %s" % (what, phase)]])
    places = dict(enumerate(["built", "kept", "half", "refilled", "dropped", "trim", "10 rounds",
                             "trim"]))
    curves = [plots.Curve(series, [(i, max(0, rows[series]["resident: " + phase]["value"]))
                                   for i, phase in enumerate(PHASES)]) for series, _, _ in SERIES]
    curves.append(plots.Curve("live", [(i, rows["isolates, parcels"]["live: " + phase]["value"])
                                       for i, phase in enumerate(PHASES)]))
    this.picture("Resident memory, and what of it is live", plots.curves(
        curves, "resident", "after each phase", "MiB", x_names=places))
    this.picture("Time to drop eight of sixteen graphs", plots.bars(
        [plots.Bar(series, *(rows[series]["time: every second dropped"][k]
                             for k in ("value", "min", "max")), kind="ours" if i == 0 else "other")
         for i, (series, _, _) in enumerate(SERIES)], "drop", "ms, logarithmic"))
    try:
        this.table("What heaptrack sees of a quick run",
                   [("", False)] + [(what, True) for what in SEEN_BY_HEAPTRACK],
                   [[name] + heaptracked(this, program, arguments)
                    for name, program, arguments in (SERIES[3], SERIES[0])])
    except Missing as missing:
        this.note("%s: bazel/bazelw --install profiling. The tables above do not need it." % missing)


if __name__ == "__main__":
    experiment.run("allocator", measure)
