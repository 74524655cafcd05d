#!/bin/sh
# Runs links.py over the source tree itself: the file among this test's runfiles is a link into it.
set -eu
here=$(dirname "$(readlink -f "$TEST_SRCDIR/$TEST_WORKSPACE/docs/site/links.py")")
exec python3 -B "$here/links.py" --markdown "$here/../.."
