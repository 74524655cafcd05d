#!/bin/sh
# tidy.sh [FILE...]: clang-tidy (pinned) over the library's sources and, by one file that includes
# them all, over its public headers.
set -eu
cd "$(dirname "$0")/../.."
if [ $# -eq 0 ]; then
  all=$(mktemp --suffix=.cc)
  trap 'rm -f "$all"' EXIT
  for header in include/isolates/*.h; do
    echo "#include \"isolates/${header##*/}\""
  done > "$all"
  # shellcheck disable=SC2046 # no spaces in these names
  set -- "$all" $(find src -name '*.cc' | sort)
fi
# Standard error holds only the number of suppressed warnings.
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" sh -c '
  clang-tidy-19 --quiet --config-file=.clang-tidy "$0" -- -std=c++20 -Iinclude -I. 2> /dev/null || {
    echo "clang-tidy: findings in $0"
    exit 1
  }'
