#!/usr/bin/env python3
"""The cost of a wake-up by idle strategy: wake_up_cost.md."""

import re
import subprocess

import experiment
from experiment import Missing, plots, split

STRATEGIES = ["BusySpin", "BackOff", "SpinThenPark", "Park"]
GAPS = [10, 100, 1_000, 10_000]
EVENTS = ["syscalls:sys_enter_futex", "raw_syscalls:sys_enter", "context-switches"]


def traced(this, command):
    """(futex calls, system calls) of a process, by strace, which changes the times but not these."""
    done = subprocess.run([this.tool("strace"), "-f", "-qq", "-c", "-o", "/dev/stderr", *command],
                          check=True, capture_output=True, text=True)
    calls = {fields[-1]: int(fields[3]) for fields in map(str.split, done.stderr.splitlines())
             if len(fields) >= 5 and re.fullmatch(r"\d+", fields[3])}
    return calls.get("futex", 0), calls.get("total", 0)


def counts(this, strategy, gap, count):
    """[futex calls, system calls, context switches] for each wake-up, and who has counted."""
    command = [this.program("wake_up_cost_program"), "exercise", strategy, str(gap)]
    try:
        counted = this.for_each(EVENTS, command, count, 3 * count)
        return [counted[event] for event in EVENTS], "perf"
    except Missing:
        few, many = (traced(this, [*command, str(n)]) for n in (count, 3 * count))
        return [(b - a) / (2 * count) for a, b in zip(few, many)] + ["–"], "strace"


def measure(this):
    rows = this.rows("wake_up_cost_program")
    by_name = {row["name"]: row for row in rows}
    table = []
    for gap in GAPS:
        for strategy in STRATEGIES:
            def of(what, gap=gap, strategy=strategy):
                return by_name["%s%s: %d us%s" % (strategy, what[0], gap, what[1])]
            median = of(("", ""))
            table.append(["%s, %d us" % (strategy, gap), median["value"],
                          experiment.spread(median), of(("", ", p99"))["value"],
                          median["limit"], median["ratio"], of((", burnt", ""))["value"],
                          of((", sleeps", ""))["value"]])
    this.raw["rows"] = rows
    this.table("From Send to the isolate's code, by strategy and by how long it has waited",
               [("", False), ("median, ns", True), ("medians of runs", True), ("p99", True),
                ("a futex", True), ("ratio", True), ("burnt, % of a processor", True),
                ("sleeps for each", True)], table)
    for title, what, axis, log in [("From Send to the isolate's code", "", "ns, median", True),
                                   ("What the waiting burns", ", burnt", "% of a processor", False)]:
        curves = [plots.Curve(strategy, [(int(split(row["name"])[1].split()[0]), row["value"])
                                         for row in rows
                                         if split(row["name"])[0] == strategy + what
                                         and "," not in split(row["name"])[1]])
                  for strategy in STRATEGIES]
        if not what:
            curves.append(plots.Curve("a futex", [(gap, by_name["Park: %d us" % gap]["limit"])
                                                  for gap in GAPS]))
        this.picture(title, plots.curves(curves, title, "time between messages, us", axis,
                                         x_log=True, y_log=log))
    table, told = [], set()
    try:
        for strategy in STRATEGIES:
            for gap in (100, 1_000):
                counted, by = counts(this, strategy, gap, 20 if this.quick else 300)
                told.add(by)
                table.append(["%s, %d us" % (strategy, gap), *counted])
        this.table("System calls for each wake-up and its answer, of both sides, counted by "
                   + " and ".join(sorted(told)),
                   [("", False), ("futex", True), ("all", True), ("context switches", True)], table)
    except Missing as missing:
        this.note("%s, and perf counts no system calls: `sleeps` of the first table tells how often "
                  "the thread slept." % missing)


if __name__ == "__main__":
    experiment.run("wake_up_cost", measure)
