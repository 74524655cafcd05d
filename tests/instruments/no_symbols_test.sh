#!/bin/sh
# A program that was built without instruments has nothing of them; the same one with instruments
# has, which shows that the names are right.
#
#   no_symbols_test.sh WITHOUT WITH
set -eu
# What an unoptimised program has of functions that do nothing is weak (W), and left out.
without=$(nm -C "$1" | grep ' [BDRT] ')
with=$(nm -C "$2" | grep ' [BDRT] ')
for name in stats_segment stats_nobody trace_on TraceEvent ThreadMeter::Begin IsolateMeter::Begin; do
  case $with in
    *"isolates::internal::$name"*) ;;
    *) echo "FAIL: no $name in $2"; exit 1 ;;
  esac
  case $without in
    *"isolates::internal::$name"*) echo "FAIL: $name in $1"; exit 1 ;;
  esac
done
"$1"
