#!/bin/sh
# excerpts_test.sh DOCUMENT...: each block of C++ must stand, as it is, in the file that the comment
# before it names:
#   <!-- examples/x.cc -->
#   ```cpp
set -u
failed=0
for document; do
  awk -v document="$document" '
    function fail(what) {
      print "FAIL: " document ":" NR ": " what
      failures++
    }
    function contents(path,   text, line, state) {
      while ((state = (getline line < path)) > 0) text = text line "\n"
      close(path)
      if (state < 0) fail("cannot read " path)
      return text
    }
    /^<!-- [^ ]+ -->$/ { source = $2; next }
    /^```cpp$/ {
      if (source == "") fail("no comment names the file of this block")
      block = ""
      inside = 1
      next
    }
    inside && /^```$/ {
      inside = 0
      blocks++
      if (block == "") fail("an empty block")
      else if (source != "" && index(contents(source), block) == 0) fail("not in " source ":\n" block)
      source = ""
      next
    }
    inside { block = block $0 "\n" }
    END {
      print document ": " blocks + 0 " blocks"
      if (blocks == 0) fail("no block found")
      exit failures > 0
    }' "$document" || failed=1
done
[ $# -gt 0 ] || failed=1
exit $failed
