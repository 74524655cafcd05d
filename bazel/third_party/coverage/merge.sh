#!/bin/sh
# Called as: merge.sh --coverage_dir=DIR --output_file=FILE ... : keeps what gcov wrote.
for arg; do
  case $arg in
    --coverage_dir=*) dir=${arg#*=} ;;
    --output_file=*) out=${arg#*=} ;;
  esac
done
find "$dir" -name '*.json.gz' ! -path "$out" -exec cat {} + > "$out" || true
