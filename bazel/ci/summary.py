#!/usr/bin/env python3
"""Counts the test cases of one `bazel test` from its build event file.

Usage: summary.py EVENTS_JSON BAZEL_EXIT_STATUS
Prints "PASSED FAILED SKIPPED" and, on stderr, one line for each failure. A target that did not
build or did not run counts as one failed case, and so does a program that failed although each of
its cases passed (a leak at exit).
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


def read_events(path):
    """Yields the events; a file cut off by an aborted build yields what is there."""
    try:
        with open(path, encoding="utf-8") as events:
            for line in events:
                try:
                    yield json.loads(line)
                except ValueError:
                    return
    except OSError:
        return


def count_cases(path):
    """Returns (passed, failed, skipped, names of the failed) of one test.xml."""
    passed = failed = skipped = 0
    names = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            names.append("%s.%s" % (case.get("classname", ""), case.get("name")))
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped += 1
        elif case.get("status") != "notrun":
            passed += 1
    return passed, failed, skipped, names


def main():
    events, status = sys.argv[1], int(sys.argv[2])
    expected = set()
    results = {}  # (label, run, shard) -> last attempt
    for event in read_events(events):
        ident = event.get("id", {})
        if "targetConfigured" in ident and "testSize" in event.get("configured", {}):
            expected.add(ident["targetConfigured"]["label"])
        if "testResult" in ident and "testResult" in event:
            key = ident["testResult"]
            results[(key["label"], key.get("run", 1), key.get("shard", 1))] = event["testResult"]

    total = [0, 0, 0]
    for (label, _, _), result in sorted(results.items()):
        ok = result.get("status") == "PASSED"
        passed = failed = skipped = 0
        names = []
        for output in result.get("testActionOutput", []):
            if output.get("name") == "test.xml":
                path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
                try:
                    passed, failed, skipped, names = count_cases(path)
                except (OSError, ElementTree.ParseError):
                    pass
        if ok and passed + failed + skipped == 0:
            passed = 1
        if not ok and failed == 0:
            failed = 1
            names = [result.get("status", "no status")]
        total = [total[0] + passed, total[1] + failed, total[2] + skipped]
        for name in names:
            print("FAILED: %s %s" % (label, name), file=sys.stderr)
    ran = {label for label, _, _ in results}
    for label in sorted(expected - ran):
        total[1] += 1
        print("FAILED: %s was not built or not run" % label, file=sys.stderr)
    if status != 0 and total[1] == 0:
        total[1] = 1
        print("FAILED: bazel ended with status %d" % status, file=sys.stderr)
    print(*total)


if __name__ == "__main__":
    main()
