#!/bin/sh
# Counts the machine instructions of the probes in zero_cost_probes.cc: those that verify plain and
# owned types have none but the return, all others have some.
#
#   zero_cost_test.sh ZERO LOOK CODE     numbers of probes of each kind, and what objdump -d printed
set -eu
zero=$1 look=$2 code=$3

# One line for each function: its name and the number of its instructions. Padding and landing pads
# do nothing.
counts=$(awk '
  /^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name); if (name ~ /^(Zero|Look)[A-Za-z]*$/) count[name] = 0; else name = "" }
  name != "" && /^ *[0-9a-f]+:/ && !/nop|endbr|xchg +%ax,%ax|bti|hint|int3/ { count[name]++ }
  END { for (name in count) print name, count[name] }' "$code" | sort)
echo "$counts"
echo "$counts" | awk -v zero="$zero" -v look="$look" '
  /^Zero/ { zeros++; if ($2 != 1) { print "FAIL: " $1 " verifies in " $2 - 1 " instructions, expected 0"; bad = 1 } }
  /^Look/ { looks++; if ($2 < 10) { print "FAIL: " $1 " does not look at the value"; bad = 1 } }
  END {
    if (zeros != zero || looks != look) { print "FAIL: " zeros + 0 " and " looks + 0 " probes, expected " zero " and " look; bad = 1 }
    exit bad
  }'
