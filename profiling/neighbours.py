#!/usr/bin/env python3
"""Interference of neighbours: neighbours.md."""

import experiment
from experiment import plots, split

SERIES = ["bare, other processor", "with state, other processor", "bare, same processor"]
LABELS = [(50, ""), (90, ", p90"), (99, ", p99"), (99.9, ", p99.9"), (100, ", max")]


def measure(this):
    rows = this.rows("neighbours_program")
    this.raw["rows"] = rows
    by_name = {row["name"]: row for row in rows}
    for series in SERIES:
        table, curves, nothing = [], [], None
        for row in rows:
            at, kind = split(row["name"])
            if at != series or "," in kind:
                continue
            nothing = nothing or row["value"]
            values = {p: by_name[row["name"] + label]["value"] for p, label in LABELS}
            table.append([kind, row["value"], experiment.spread(row)]
                         + [values[p] for p, _ in LABELS[1:]]
                         + [row["value"] / by_name[SERIES[0] + ": nothing"]["value"]
                            if series == SERIES[2] else row["value"] / nothing])
            curves.append((kind, values))
        this.table("A request and its answer, ns, medians of five turns: " + series,
                   [("beside", False), ("median", True), ("of turns", True)]
                   + [(label[2:], True) for _, label in LABELS[1:]]
                   + [("to nothing", True)], table)
        this.picture(series, plots.percentiles(curves, series, "ns"))


if __name__ == "__main__":
    experiment.run("neighbours", measure)
