#!/usr/bin/env python3
"""Cache-line traffic of a port: port_traffic.md."""

import collections
import subprocess

import experiment
from experiment import Missing, plots, split

SIZES = [8, 24, 56, 64, 120, 128, 256, 512, 1024]
# Loads that found a line changed in another processor's cache: of Intel's and of AMD's processors.
HITM = ["mem_load_l3_hit_retired.xsnp_fwd", "mem_load_l3_hit_retired.xsnp_hitm",
        "ls_any_fills_from_sys.local_ccx"]
LINE = 64
NEAR, FAR = 1, 2
WARM = 1000                 # round trips: kWarm in port_traffic.cc
BEGIN_WRITE = 8 * WARM + 1  # which write to the marker says that they are over


class Lines:
    """Two caches without limits, and what goes from one to the other: a line is changed in one of
    them, or both may read it."""

    def __init__(self):
        self.holders = {}  # line: who may read it
        self.reads = collections.Counter()   # a side read what the other had changed
        self.writes = collections.Counter()  # a side wrote what the other had

    def read(self, line, who):
        holders = self.holders.setdefault(line, {who})
        if who not in holders:
            self.reads[line] += 1
            holders.add(who)

    def write(self, line, who):
        if self.holders.get(line, {who}) - {who}:
            self.writes[line] += 1
        self.holders[line] = {who}

    def clear_counts(self):
        self.reads.clear()
        self.writes.clear()


def follow(trace, marker):
    """The traffic after BEGIN, of a trace as lackey writes it: lines " L address,size" (S: store, M:
    both). Whose access it is, is what was last written to `marker`; lackey does not tell values, so
    the program's order does: near sends, far receives, far sends, near receives, each between two
    writes; BEGIN is a write of its own."""
    lines = Lines()
    order = (NEAR, FAR, FAR, NEAR)
    who, part, writes = None, 0, 0
    for text in trace:
        kind = text[1:2]
        address, _, size = text[3:].partition(",")
        try:
            address, size = int(address, 16), int(size)
        except ValueError:
            continue
        if address == marker and kind == "S":
            writes += 1
            if writes == BEGIN_WRITE:
                lines.clear_counts()
                continue
            if who is None:
                who = order[part % 4]
            else:
                who = None
                part += 1
            continue
        if who is None:
            continue
        for line in range(address // LINE, (address + size - 1) // LINE + 1):
            if kind in "LM":
                lines.read(line, who)
            if kind in "SM":
                lines.write(line, who)
    return lines


def simulated(this, size, count):
    """Transfers for each message: reads of what the other has changed, writes of what the other
    has."""
    program = this.program("port_traffic_program")
    # Where it lies does not depend on the tool.
    valgrind = this.tool("valgrind")
    where = this.command([valgrind, "-q", "--tool=none", program, "lines", str(size), "0"])
    marker = int(where.stdout.strip(), 16)
    tool = [valgrind, "-q", "--tool=lackey", "--basic-counts=no", "--trace-mem=yes",
            program, "lines", str(size), str(count)]
    with subprocess.Popen(tool, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        # Instructions are two thirds of it.
        with subprocess.Popen(["grep", "-a", "^ [LSM]"], stdin=running.stderr,
                              stdout=subprocess.PIPE, text=True, errors="replace") as data:
            lines = follow(data.stdout, marker)
    if running.returncode != 0:
        raise SystemExit("port_traffic: %s failed" % " ".join(tool))
    messages = 2 * count
    return sum(lines.reads.values()) / messages, sum(lines.writes.values()) / messages


def hardware(this):
    """[[size, loads of changed lines for each message]]. Missing if the machine does not count."""
    for event in HITM:
        try:
            return event, [[size, this.for_each(
                [event], [this.program("port_traffic_program"), "exercise", str(size)],
                100_000, 300_000)[event] / 2] for size in SIZES]
        except Missing as missing:
            why = missing
    raise why


def measure(this):
    rows = this.rows("port_traffic_program")
    this.figures("Round trips", rows, "one line to and fro")
    ports = [(int(split(row["name"])[1].split()[0]), row) for row in rows
             if row["name"].startswith("port")]
    raw = [(int(split(row["name"])[1].split()[0]), row) for row in rows
           if row["name"].startswith("raw")]
    this.picture("A message to and fro, by its bytes; raw lines of as many bytes", plots.curves(
        [plots.Curve("port", [(size, row["value"]) for size, row in ports]),
         plots.Curve("raw lines", [(64 * lines, row["value"]) for lines, row in raw])],
        "port traffic", "bytes", "ns", x_log=True))
    try:
        sizes = SIZES[::8] if this.quick else SIZES
        count = 32 if this.quick else 1000
        counted = [(size,) + simulated(this, size, count) for size in sizes]
        this.table("Simulated: for each message, between two caches without limits",
                   [("bytes", True), ("lines read that the other has changed", True),
                    ("lines written that the other has", True)], [list(row) for row in counted])
        this.picture("Simulated: lines that change hands, for each message", plots.bars(
            [plots.Bar("%d B, %s" % (size, what), max(value, 0.01), shown=plots.short(value),
                       kind=kind)
             for size, reads, writes in counted
             for what, value, kind in (("read", reads, "ours"), ("written", writes, "other"))],
            "simulated traffic", "lines", log=False))
    except Missing as missing:
        this.note("%s: no simulated counts (bazel/bazelw --install ci)." % missing)
    try:
        event, counted = hardware(this)
        this.table("Counted: %s for each message" % event, [("bytes", True), ("loads", True)],
                   counted)
    except Missing as missing:
        this.note("%s: the table of simulated counts stands in for it." % missing)


if __name__ == "__main__":
    experiment.run("port_traffic", measure)
