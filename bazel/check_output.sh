#!/bin/sh
# check_output.sh EXPECTED PROGRAM ARGS...: line by line, the output must match the expected
# expressions.
set -u
expected=$1
shift
actual=$TEST_TMPDIR/actual
"$@" > "$actual"
status=$?
cat "$actual"
if [ "$status" -ne 0 ]; then
  echo "FAIL: exit status $status" >&2
  exit 1
fi
if [ "$(wc -l < "$actual")" -ne "$(wc -l < "$expected")" ]; then
  echo "FAIL: $(wc -l < "$actual") lines, expected $(wc -l < "$expected")" >&2
  exit 1
fi
n=0
while IFS= read -r pattern; do
  n=$((n + 1))
  line=$(sed -n "${n}p" "$actual")
  if ! printf '%s\n' "$line" | grep -Exq -- "$pattern"; then
    echo "FAIL: line $n is '$line', expected '$pattern'" >&2
    exit 1
  fi
done < "$expected"
