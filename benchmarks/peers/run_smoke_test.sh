#!/bin/sh
# Runs the comparison for a moment, with what every machine has.
set -eu
here=benchmarks/peers
python3 "$here/run.py" --quick --only=std,isolates --isolates="$here/isolates_peer" \
  --build-dir="$TEST_TMPDIR/build" --json="$TEST_TMPDIR/result.json"
python3 - "$TEST_TMPDIR/result.json" << 'END'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = json.load(file)
assert {row["workload"] for row in rows} == {"W0", "W1", "W2", "W3", "W4", "W5", "W6"}, rows
broken = [row for row in rows if row["value"] is None or row["value"] <= 0]
assert not broken, broken
END
