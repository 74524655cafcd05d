#!/usr/bin/env python3
"""Hand-over of a heap against a copy: hand_over.md."""

import experiment
from experiment import plots, split

SERIES = ["parcel", "value", "copy", "memcpy"]


def measure(this):
    rows = this.rows("hand_over_program")
    this.raw["rows"] = rows
    for what, axis, title in [("bytes", "bytes, in one block", "One way, by size"),
                              ("blocks", "blocks of 4 MiB in all", "One way, by number of blocks")]:
        at = {}
        for row in rows:
            series, place = split(row["name"])
            number, unit = place.split()
            if unit == what:
                at.setdefault(int(number), {})[series] = row
        table = []
        for place, of in sorted(at.items()):
            table.append(["{:,}".format(place), of["parcel"]["limit"]]
                         + [part for series in SERIES[:3] for part in
                            (of[series]["value"], experiment.spread(of[series]))]
                         + [of["memcpy"]["value"], of["parcel"]["ratio"],
                            of["copy"]["value"] and of["parcel"]["value"]
                            and of["copy"]["value"] / of["parcel"]["value"]])
        this.table(title + ", ns", [(what, True), ("a number", True)]
                   + [part for series in SERIES[:3] for part in ((series, True), ("", True))]
                   + [("memcpy", True), ("parcel to number", True), ("copy to parcel", True)], table)
        this.picture(title, plots.curves(
            [plots.Curve(series, [(place, of[series]["value"]) for place, of in at.items()
                                  if of[series]["value"]]) for series in SERIES]
            + [plots.Curve("a number", [(place, of["parcel"]["limit"]) for place, of in at.items()
                                        if of["parcel"]["limit"]])],
            title, axis, "ns", x_log=True, y_log=True))


if __name__ == "__main__":
    experiment.run("hand_over", measure)
