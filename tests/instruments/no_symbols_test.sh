#!/bin/sh
# A program that was built without instruments has nothing of them; the same one with instruments
# has, which shows that the names are right.
#
#   no_symbols_test.sh WITHOUT WITH
set -eu
names='stats_segment|stats_nobody|trace_on|TraceEvent|ThreadMeter|IsolateMeter|PortMeter|TraceRing'
if nm -C "$1" | grep -E "isolates::internal::($names)"; then
  echo "FAIL: the program without instruments has these"
  exit 1
fi
for name in stats_segment stats_nobody trace_on TraceEvent ThreadMeter; do
  nm -C "$2" | grep -q "isolates::internal::$name" || { echo "FAIL: no $name in $2"; exit 1; }
done
"$1"
