#!/usr/bin/env python3
"""Counts instructions and allocations of the library's main operations against bounds.json, under
callgrind: counts repeat where times do not. README.md says more."""

import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile

import counts

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOUNDS = os.path.join(HERE, "bounds.json")
TARGET = "//benchmarks/gate:driver"
OPERATIONS = 512  # and twice as many
# In these, an allocation and a tenth more instructions are planted.
PLANTED = ["send_receive_8", "run_result", "verify_vector"]


def build(flags):
    command = ["bazel/bazelw", "build", "-c", "opt", "--noshow_progress"] + flags + [TARGET]
    result = subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise SystemExit("gate: %s does not build:\n%s" % (TARGET, result.stderr[-3000:]))
    return os.path.join(ROOT, "bazel-bin", "benchmarks", "gate", "driver")


def count_run(driver, name, operations, planted):
    """(instructions, allocations) of a run."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "callgrind.out")
        command = ["valgrind", "-q", "--tool=callgrind", "--toggle-collect=MeasuredOperations",
                   "--compress-strings=no", "--callgrind-out-file=" + file, driver, name,
                   str(operations)] + planted
        # The same environment everywhere: it lies on the stack, and settings change the counts.
        result = subprocess.run(command, check=False, capture_output=True, text=True,
                                env={"PATH": os.defpath})
        if result.returncode != 0:
            raise SystemExit("gate: %s failed:\n%s" % (" ".join(command), result.stderr[-2000:]))
        with open(file, encoding="utf-8", errors="replace") as lines:
            return counts.read(lines)


def count(driver, name, planted=()):
    """The counts of one operation."""
    few, many = (count_run(driver, name, n, list(planted)) for n in (OPERATIONS, 2 * OPERATIONS))
    if few[0] == 0:
        raise SystemExit("gate: nothing was counted in %s" % name)
    return counts.for_each(few, many, OPERATIONS)


def check(driver, bounds, jobs):
    """Whether all are within their bounds."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counted = dict(zip(bounds["operations"],
                           pool.map(lambda name: count(driver, name), bounds["operations"])))
    good = True
    for name, bound in bounds["operations"].items():
        within, told = counts.judge(name, counted[name], bound, bounds["tolerance_percent"])
        print(told)
        good = good and within
    return good


def check_planted(driver, bounds, jobs):
    """Whether each planted regression is found."""
    cases = [(name, plant) for name in PLANTED
             for plant in ("allocation", str(bounds["operations"][name]["instructions"] // 10))]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counted = list(pool.map(lambda case: count(driver, case[0], case[1:]), cases))
    good = True
    for (name, plant), one in zip(cases, counted):
        within, told = counts.judge(name, one, bounds["operations"][name],
                                    bounds["tolerance_percent"])
        what = "allocations" if plant == "allocation" else "instructions"
        found = not within and what in told.partition("EXCEEDED")[2]
        print("planted %-12s %s" % (plant, told if found else told + "  NOT FOUND"))
        good = good and found
    return good


def update(driver, bounds, jobs):
    names = subprocess.run([driver], check=True, capture_output=True, text=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        counted = list(pool.map(lambda name: count(driver, name), names))
    bounds["operations"] = {
        name: {"instructions": round(one["instructions"]),
               "allocations": round(one["allocations"], 1)} for name, one in zip(names, counted)}
    with open(BOUNDS, "w", encoding="ascii") as file:
        json.dump(bounds, file, indent=2)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--planted", action="store_true",
                        help="instead: whether planted regressions are found")
    parser.add_argument("--update", action="store_true",
                        help="instead: makes what is counted now the bounds")
    parser.add_argument("--bazel-flag", action="append", default=[], metavar="FLAG")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("gate: there is no valgrind: bazel/bazelw --install ci")
    with open(BOUNDS, encoding="ascii") as file:
        bounds = json.load(file)
    driver = build(options.bazel_flag)
    if options.update:
        update(driver, bounds, options.jobs)
        return 0
    run = check_planted if options.planted else check
    return 0 if run(driver, bounds, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
