#!/bin/sh
# Runs hygiene.py over the source tree itself: the file among this test's runfiles is a link into
# it.
set -eu
here=$(dirname "$(readlink -f "$TEST_SRCDIR/$TEST_WORKSPACE/bazel/lint/hygiene.py")")
exec python3 "$here/hygiene.py" "$here/../.."
