#!/usr/bin/env python3
"""Where the time of a Run goes: run_stages.md."""

import collections
import re

import experiment
from experiment import Missing, plots, split

STAGES = ["launch (Run returns)", "queue, wake, heap, turn (code begins)", "code",
          "exit and result (Get returns)"]
KINDS = ["on the other processor, awake", "on the caller's processor",
         "a thread slept or was preempted", "with a page fault", "at most twice the median",
         "more than ten times the median"]
# Functions by what they are for: the first that matches.
GROUPS = [
    ("names, for reports", r"WriteName|owner_name|NameThisThread|basic_string"),
    ("the function itself", r"Tell\(int\)|BareMean"),
    ("launch", r"Launch<|::Launch\(|Birth|MakeRef|IsolateCore::IsolateCore|Capability|GetScheduler"
               r"|IsolateStarted|PortHost::PortHost"),
    ("future and result", r"Future|RunComputation|ResultComputation"),
    ("end of the isolate", r"~IsolateCore|IsolateCore::End|TellMonitors|IsolateEnded|exit_info"
                           r"|PortHost|FinishedForGood|DestroyLocals|DestroyRoots|DiscardEvents"),
    ("heap and allocation", r"^_?mi_|^free|^malloc|operator (new|delete)|Heap|backend|MainAllocate"
                            r"|MainFree"),
    ("turn", r"IsolateCore|RunIsolate"),
    ("schedule, wake, sleep", r"Runtime|IdleWait|BlockedWait|BlockingRegion|Futex|syscall"
                              r"|PinThisThread|affinity|clock|sched_getcpu|ThisThread|Parker"),
    ("locks and memory of the C library", r"pthread|^__mem|^0x"),
]


def grouped(costs):
    """[(group, instructions, the dearest functions)]."""
    sums = collections.Counter()
    of = collections.defaultdict(list)
    for function, count in costs.items():
        group = next((name for name, pattern in GROUPS if re.search(pattern, function)), "others")
        sums[group] += count
        of[group].append((count, function))
    return [(group, count, [short_name(f) for _, f in sorted(of[group], reverse=True)[:3]])
            for group, count in sums.most_common()]


def short_name(function):
    """Without arguments, templates and namespaces."""
    function = function.replace("(anonymous namespace)::", "")
    while True:
        shorter = re.sub(r"<[^<>]*>", "", function)
        if shorter == function:
            break
        function = shorter
    function = re.sub(r"\(.*", "", function).split("@")[0].split(" ")[-1]
    return "`%s`" % "::".join(function.split("::")[-2:]) if function else "`?`"


def measure(this):
    rows = this.rows("run_stages_program")
    this.raw["rows"] = rows
    value = {row["name"]: row["value"] for row in rows}
    table = [[stage] + [value["%s, %s" % (stage, p)] for p in ("p50", "p90", "p99", "p99.9", "max")]
             + [value["mean: " + stage], 100 * value["mean: " + stage] / value["mean: whole"]]
             for stage in ["whole"] + STAGES]
    this.table("Stages of a Run, ns", [("", False), ("median", True), ("p90", True), ("p99", True),
                                       ("p99.9", True), ("max", True), ("mean", True),
                                       ("% of the mean", True)], table)
    this.table("By what happened in a Run", [("", False), ("% of the Runs", True),
                                             ("% of the time", True), ("mean of these, ns", True)],
               [[kind] + [value["%s: %s" % (what, kind)] for what in
                          ("share of Runs", "share of time", "mean of these")] for kind in KINDS])
    bare = next(row for row in rows if row["name"] == "Run without stamps, mean")
    this.figures("Without stamps", [bare], "one line to and fro")
    this.picture("Stages of a Run: the median (bar); the mean (mark)", plots.bars(
        [plots.Bar(row[0], row[1], kind="ours" if row[0] == "whole" else "other", mark=row[6],
                   shown="%s; %s" % (plots.short(row[1]), plots.short(row[6])))
         for row in table], "stages", "ns", log=False))
    this.picture("How long the stages take", plots.percentiles(
        [(stage, {p: max(1, value["%s, %s" % (stage, label)]) for p, label in
                  [(50, "p50"), (90, "p90"), (99, "p99"), (99.9, "p99.9"), (100, "max")]})
         for stage in ["whole"] + STAGES], "stages", "ns"))
    try:
        few = 100 if this.quick else 500
        groups = grouped(experiment.callgrind_for_each(
            this, this.program("run_stages_program"), ["exercise"], few, 3 * few))
        whole = sum(count for _, count, _ in groups)
        this.table("Instructions of a Run whose threads sleep at once, by callgrind",
                   [("for", False), ("instructions", True), ("%", True), ("most of them", False)],
                   [["all", whole, 100.0, ""]]
                   + [[group, count, 100 * count / whole, ", ".join(most)]
                      for group, count, most in groups])
        this.picture("Instructions of a Run", plots.bars(
            [plots.Bar(group, max(0, count)) for group, count, _ in groups], "instructions",
            "instructions", log=False))
    except Missing as missing:
        this.note("%s: no instructions (bazel/bazelw --install ci)." % missing)


if __name__ == "__main__":
    experiment.run("run_stages", measure)
