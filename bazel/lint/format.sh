#!/bin/sh
# format.sh [--fix]: checks (or sets) the format of every C++ source with the pinned clang-format.
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in
  --fix) mode=-i ;;
  *) mode='--dry-run --Werror' ;;
esac
for folder in include src tests examples benchmarks profiling; do
  [ ! -d "$folder" ] || find "$folder" \( -name '*.h' -o -name '*.cc' \) -print0
done | xargs -0 -r clang-format-19 $mode
