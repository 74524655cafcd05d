#!/bin/sh
# For `bazel run`: runs a script of the source tree, there.
cd "$BUILD_WORKSPACE_DIRECTORY" || exit 1
exec "$@"
