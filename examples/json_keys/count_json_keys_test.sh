#!/bin/sh
# count_json_keys_test.sh PROGRAM: the main job on good input and on bad.
set -u
export LC_ALL=C
program=$PWD/$1
cd "$TEST_TMPDIR" || exit 1
unset BUILD_WORKING_DIRECTORY
failures=0

fail() {
  echo "FAIL: $test: $1"
  sed 's/^/  /' out err
  failures=$((failures + 1))
}
# run STATUS ARGS...
run() {
  expected=$1
  shift
  test="count_json_keys $*"
  timeout 60 "$program" "$@" > out 2> err
  status=$?
  [ "$status" -eq "$expected" ] || fail "exit status $status, expected $expected"
}
out_has() { grep -Eq -- "$1" out || fail "the output does not match '$1'"; }
err_is() {
  grep -Exq -- "count_json_keys: $1" err || fail "the error is not '$1'"
  [ "$(wc -l < err)" -eq 1 ] || fail "more than one line of errors"
  [ ! -s out ] || fail "output after an error"
}
same_everywhere() {
  for key in keys bytes blocks parse_ns verify_ns handover_ns drop_ns "$@"; do
    out_has "\"$key\":[0-9]+[,}]"
  done
  [ "$(grep -o '":' out | wc -l)" -eq $((7 + $#)) ] || fail "other keys than the documented ones"
}

# --- good input ---
run 0
out_has '^Number of JSON keys: 1$'
out_has '^parse +[0-9.]+ (ns|us|ms)$'
out_has '^verify +[0-9.]+ (ns|us|ms)$'
out_has '^hand-over +[0-9.]+ (ns|us|ms)$'
out_has '^drop +[0-9.]+ (ns|us|ms), (as a whole|by destructors: .+)$'
out_has '^memory +[0-9]+ blocks, [0-9]+ bytes$'

echo '{"a": 1, "b": [1, 2], "c": {"d": "text"}}' > three.json
run 0 three.json
out_has '^Number of JSON keys: 3$'
run 0 three.json --json --repeat 3
same_everywhere
run 0 three.json --compare --repeat 2
out_has '^deep copy +.* the hand-over$'
out_has '^destructors +.* the drop$'
run 0 three.json --compare --json --repeat 2
same_everywhere copy_ns destructor_ns
echo '[1, 2, 3, 4]' > array.json
run 0 array.json
out_has '^Number of JSON keys: 4$'
run 0 --help
out_has '^Exit status'

run 0 --generate 3000000 big.json
[ "$(wc -c < big.json)" -eq 3000000 ] || fail "the file has another size"
run 0 big.json --deadline 60000
out_has '^Number of JSON keys: [0-9]{4}$'
run 0 --generate 2000 small.json
run 0 --generate 2000 again.json
cmp -s small.json again.json || fail "two files differ"

# --- bad input ---
run 1 missing.json
err_is 'cannot open missing.json: No such file or directory'
run 1 .
err_is 'cannot read .: Is a directory'
: > empty.json
run 1 empty.json
err_is 'empty.json: malformed JSON: parse error at line 1, column 1: .*unexpected end of input.*'
printf '{\n  "a": 1,\n  "b": nonsense\n}\n' > malformed.json
run 1 malformed.json
err_is 'malformed.json: malformed JSON: parse error at line 3, column 9: .*'
head -c 1000000 big.json > cut.json
run 1 cut.json --json
err_is 'cut.json: malformed JSON: parse error at line [0-9]+, column [0-9]+: .*'
printf '{"a": "\377"}' > bytes.json
run 1 bytes.json
err_is 'bytes.json: malformed JSON: parse error at line 1, column 8: .*'
head -c 1000000 /dev/zero | tr '\0' '[' > deep.json
run 1 deep.json
err_is 'deep.json: malformed JSON: parse error at line 1, column 1000001: .*'
tr '[' ']' < deep.json | cat deep.json - > nested.json
run 0 nested.json
out_has '^Number of JSON keys: 1$'
echo '17' > number.json
run 1 number.json
err_is 'number.json: the document has no keys: it is a number'

# The worker computes too long, and is stopped.
run 1 big.json --deadline 0
err_is 'big.json: the worker did not answer within 0 ms'
# The worker waits for a writer who never comes; the program ends all the same.
mkfifo pipe.json
run 1 pipe.json --deadline 10
err_is 'pipe.json: the worker did not answer within 10 ms'

run 2 --nonsense
err_is 'unknown option --nonsense; see --help'
run 2 --repeat
err_is '--repeat: a value is missing; see --help'
run 2 --repeat 0
err_is "--repeat: '0' is not a number of at least 1; see --help"
run 2 --deadline soon
err_is "--deadline: 'soon' is not a number of at least 0; see --help"
run 2 a.json b.json
err_is 'more than one file; see --help'
run 2 --generate 100
err_is '--generate: no file to write; see --help'
run 1 --generate 100 missing/file.json
err_is 'cannot write missing/file.json: No such file or directory'

[ "$failures" -eq 0 ] && echo "all as expected"
exit "$failures"
