#!/usr/bin/env python3
"""False sharing, made and removed: false_sharing.md."""

import experiment
from experiment import plots, split


def measure(this):
    rows = this.rows("false_sharing_program")
    this.raw["rows"] = rows
    counters = [row for row in rows if not row["name"].startswith("lane")]
    lanes = [row for row in rows if row["name"].startswith("lane")]
    for title, some, unit in [
            ("Counters of two isolates: an addition", counters, "ns, logarithmic"),
            ("The library's lane, as it is and with its two sides packed together: a message, or a "
             "message to and fro", lanes, "ns, logarithmic")]:
        this.figures(title, some, "one line to and fro")
        this.picture(title, plots.bars(
            [plots.Bar(row["name"], row["value"], row["min"], row["max"],
                       kind="other" if split(row["name"])[1] in
                       ("8 bytes apart", "56 bytes apart", "packed") else "ours")
             for row in some if row["value"]], title, unit))


if __name__ == "__main__":
    experiment.run("false_sharing", measure)
