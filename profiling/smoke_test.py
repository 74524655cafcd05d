#!/usr/bin/env python3
"""Runs an experiment for a moment: smoke_test.py NAME SCRIPT [ARGUMENTS]. Whether all that it is to
find is there, as numbers, and drawn; no times are asserted."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

# What the first columns of the tables must hold, of the tables that need no tool.
EXPECTED = {
    "allocator": ["built and handed over", "every second dropped", "all dropped", "trimmed again"],
    "false_sharing": ["load and store: alone", "load and store: 8 bytes apart",
                      "atomic addition: 8 bytes apart", "atomic addition: 64 bytes apart",
                      "lane, stream: as it is", "lane, stream: packed",
                      "lane, round trip: packed"],
    "hand_over": ["64", "4,096", "1", "16"],
    "neighbours": ["nothing", "one that computes", "a memory streamer", "a cache thrasher",
                   "an allocation storm", "a thread of the same process that computes"],
    "pinning": ["pinned, alone", "unpinned, alone", "pinned, beside a busy process",
                "unpinned, beside a busy process"],
    "port_traffic": ["port: 8 B", "port: 64 B", "port: 128 B", "port: 1024 B", "raw: 1 lines",
                     "raw: 16 lines"],
    "run_stages": ["whole", "launch (Run returns)", "queue, wake, heap, turn (code begins)", "code",
                   "exit and result (Get returns)", "a thread slept or was preempted"],
    "wake_up_cost": ["%s, %d us" % (strategy, gap)
                     for strategy in ("BusySpin", "BackOff", "SpinThenPark", "Park")
                     for gap in (10, 100, 1_000, 10_000)],
}


def main():
    name, script = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        # A page whose table is renewed.
        page = os.path.join(folder, name + ".md")
        with open(page, "w", encoding="utf-8") as file:
            file.write("before\n<!-- figures: written by the command -->\nold\n"
                       "<!-- end of figures -->\nafter\n")
        subprocess.run([sys.executable, script, "--quick", "--out=" + folder, *sys.argv[3:]],
                       check=True)
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as file:
            told = json.load(file)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        picture = xml.etree.ElementTree.parse(os.path.join(folder, name + ".svg"))

    rows = [row for table in told["tables"] for row in table["rows"]]
    names = [str(row[0]) if isinstance(row[0], str) else "{:,}".format(row[0]) for row in rows]
    missing = [row for row in EXPECTED[name] if row not in names]
    assert not missing, "rows that are missing: %s" % missing
    for table in told["tables"]:
        assert table["rows"], "an empty table: %s" % table["title"]
        for row in table["rows"]:
            assert len(row) == len(table["columns"]), row
            assert None not in row, "a figure is missing in %s" % row
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text, text
    assert all(table["title"] in text for table in told["tables"])
    drawn = [part for part in picture.iter() if part.tag.endswith(("rect", "circle"))]
    assert len(drawn) > 4, "the picture is empty"
    print("%s: %d rows in %d tables, %d marks" % (name, len(rows), len(told["tables"]), len(drawn)))


if __name__ == "__main__":
    main()
