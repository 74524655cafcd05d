#!/bin/sh
# probes_test.sh some|none PROGRAM: the notes of the probes are in the program, with their
# arguments; or none of them is, where they are compiled out.
set -eu
notes=$(readelf --notes --wide "$2")
# provider/name/arguments
found=$(printf '%s\n' "$notes" | awk '
  / Provider: / { provider = $NF }
  $1 == "Name:" { name = $2 }
  $1 == "Arguments:" { print provider "/" name "/" NF - 1 }' | sort -u)
echo "$found"
expected='isolates/handover/3
isolates/isolate_exit/2
isolates/isolate_start/2
isolates/receive/1
isolates/send/1
isolates/turn_begin/2
isolates/turn_end/1
isolates/wake/2'
[ "$1" = some ] || expected=
of_isolates=$(printf '%s\n' "$found" | grep '^isolates/' || true)
if [ "$of_isolates" != "$expected" ]; then
  echo "FAIL: expected:"
  echo "$expected"
  exit 1
fi
