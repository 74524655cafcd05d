#!/bin/sh
# gdb_test.sh PROGRAM SCRIPT: what `info isolates` shows of a program that stands still.
set -eu
command -v gdb > /dev/null || {
  echo "there is no gdb: bazel/bazelw --install ci" >&2
  exit 1
}
actual=$(gdb -batch -nx -ex 'set confirm off' -ex run -ex "source $2" -ex 'info isolates' \
  -ex 'kill' "$1" 2>&1)
echo "$actual"
expect() {
  printf '%s\n' "$actual" | grep -Exq -- "$1" || {
    echo "FAIL: no line '$1'" >&2
    exit 1
  }
}
expect '    Id  Name      State    Thread  Kept by'
expect '     [0-9]+  main      (runs |waits)            its thread.*'
expect '     [0-9]+  listener  idle             1 port, result or timer'
expect '     [0-9]+  waiter    waits    [0-9]+'
expect '[*]    [0-9]+  runner    runs     [0-9]+'
