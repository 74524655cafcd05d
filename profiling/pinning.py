#!/usr/bin/env python3
"""Pinned against unpinned: pinning.md."""

import subprocess
import sys

import experiment
from experiment import plots

PLACEMENTS = {"pinned": "cross", "unpinned": "free"}
BESIDE = {"alone": 0, "beside a busy process": 1}
# What takes a processor away: a process that the system may move.
BUSY = [sys.executable, "-c", "while True: pass"]


def measure(this):
    runs = {(placement, beside): [] for beside in BESIDE for placement in PLACEMENTS}
    # In turns, the second time in the reverse order.
    for turn in range(1 if this.quick else 5):
        for placement, beside in list(runs)[::1 if turn % 2 == 0 else -1]:
            busy = [subprocess.Popen(BUSY) for _ in range(BESIDE[beside])]
            try:
                runs[placement, beside].append(
                    this.rows("pinning_program", "--placement=" + PLACEMENTS[placement]))
            finally:
                for process in busy:
                    process.kill()
                    process.wait()
    table, bars, percentiles = [], [], []
    for (placement, beside), taken in runs.items():
        rows = {row["name"]: row for row in experiment.median_of(taken)}
        name = "%s, %s" % (placement, beside)
        this.raw.setdefault("runs", {})[name] = taken
        median, crew = rows["ping-pong, p50"], rows["crew"]
        table.append([name, median["value"], experiment.spread(median),
                      rows["ping-pong, p99"]["value"], rows["ping-pong, p99.9"]["value"],
                      rows["ping-pong, max"]["value"], crew["value"], experiment.spread(crew),
                      rows["migrations: ping-pong"]["value"], rows["migrations: crew"]["value"]])
        bars.append(plots.Bar(name, crew["value"], crew["min"], crew["max"],
                              kind="ours" if placement == "pinned" else "other"))
        percentiles.append((name, {p: rows["ping-pong, " + label]["value"] for p, label in
                                   [(50, "p50"), (90, "p90"), (99, "p99"), (99.9, "p99.9"),
                                    (100, "max")]}))
    this.table("Medians of %d runs each, taken in turns" % len(taken),
               [("", False), ("round trip, ns: median", True), ("of runs", True), ("p99", True),
                ("p99.9", True), ("max", True), ("crew, ms", True), ("of runs", True),
                ("migrations a second: ping-pong", True), ("crew", True)], table)
    this.picture("A message to and fro between two isolates on workers",
                 plots.percentiles(percentiles, "ping-pong", "ns"))
    this.picture("A crew of isolates that compute: until all have their results",
                 plots.bars(bars, "crew", "ms", log=False))
    if any(row[8] in (0, None) and "unpinned" in row[0] for row in table):
        this.note("No migration was counted while unpinned: either none happened, or this kernel's "
                  "/proc/PID/sched does not tell (`perf stat -e cpu-migrations` does).")


if __name__ == "__main__":
    experiment.run("pinning", measure)
