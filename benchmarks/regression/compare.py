#!/usr/bin/env python3
"""Compares the speed of two revisions, interleaved. README.md says how."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import verdicts

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGETS = "//benchmarks/micro:port_bench,//benchmarks/micro:spawn_bench"


def say(text):
    print("compare: " + text, file=sys.stderr, flush=True)


def git(*arguments, where=ROOT):
    return subprocess.run(["git"] + list(arguments), cwd=where, check=True, capture_output=True,
                          text=True).stdout.strip()


def built_file(target):
    """//a/b:c -> bazel-bin/a/b/c"""
    package, _, name = target.lstrip("/").partition(":")
    return os.path.join("bazel-bin", package, name or os.path.basename(package))


class Builder:
    """Builds revisions one after the other in one git worktree: the same paths and flags for all."""

    def __init__(self, folder, flags):
        self._tree = os.path.join(folder, "tree")
        self._folder, self._flags = folder, flags

    def __enter__(self):
        git("worktree", "add", "--detach", "--force", self._tree, "HEAD")
        settings = os.path.join(ROOT, "user.bazelrc")
        if os.path.exists(settings):
            shutil.copy(settings, self._tree)
        return self

    def __exit__(self, *_):
        subprocess.run(["bazel", "clean", "--expunge"], cwd=self._tree, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        git("worktree", "remove", "--force", self._tree)

    def build(self, name, revision, targets):
        """{target: file} of the revision's programs."""
        git("checkout", "--detach", "--force", revision, where=self._tree)
        say("building %s (%s)" % (name, git("log", "-1", "--format=%h %s", where=self._tree)))
        command = ["bazel/bazelw", "build", "-c", "opt", "--noshow_progress"] + self._flags + targets
        result = subprocess.run(command, cwd=self._tree, check=False, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)
        if result.returncode != 0:
            raise SystemExit("compare: %s does not build:\n%s" % (revision, result.stderr[-3000:]))
        os.makedirs(os.path.join(self._folder, name))
        programs = {}
        for target in targets:
            programs[target] = os.path.join(self._folder, name, target.strip("/").replace("/", "_"))
            shutil.copy(os.path.join(self._tree, built_file(target)), programs[target])
        return programs


def times_of(document):
    """{benchmark: (unit, time)} of one run of Google Benchmark."""
    return {run["name"]: (run["time_unit"], run["real_time"]) for run in document["benchmarks"]
            if run.get("run_type", "iteration") == "iteration" and not run.get("error_occurred")}


def run(program, options):
    command = [program, "--benchmark_format=json", "--benchmark_min_time=%g" % options.min_time,
               "--benchmark_filter=" + options.filter]
    environment = dict(os.environ)
    environment.setdefault("MIMALLOC_ARENA_RESERVE", "64MiB")
    environment.setdefault("MIMALLOC_ALLOW_THP", "0")
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            env=environment)
    return times_of(json.loads(result.stdout))


def measure(programs, options):
    """programs: {"old": {target: file}, "new": ...}. Returns {benchmark: {unit, old, new}}."""
    times = {}
    for i, pair in enumerate(verdicts.order(options.rounds)):
        say("round %d of %d" % (i + 1, options.rounds))
        for target in programs["old"]:
            for side in pair:
                for name, (unit, time) in run(programs[side][target], options).items():
                    entry = times.setdefault((target, name), {"unit": unit, "old": [], "new": []})
                    entry[side].append(time)
    return times


def arguments(given):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", metavar="OLD_REV")
    parser.add_argument("new", metavar="NEW_REV")
    parser.add_argument("--targets", default=TARGETS, metavar="TARGET,...",
                        help="programs of Google Benchmark; default " + TARGETS)
    parser.add_argument("--filter", default=".", metavar="REGEX", help="only these benchmarks")
    parser.add_argument("--rounds", type=int, default=16, help="pairs of runs; default 16")
    parser.add_argument("--min-time", type=float, default=0.05,
                        help="seconds for each benchmark in each run")
    parser.add_argument("--confidence", type=float, default=0.99)
    parser.add_argument("--fail-above", type=float, metavar="PERCENT",
                        help="exit status 1 if a slowdown of more than this is established")
    parser.add_argument("--bazel-flag", action="append", default=[], metavar="FLAG",
                        help="for both builds")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="only shows that everything runs")
    options = parser.parse_args(given)
    options.targets = options.targets.split(",")
    if options.quick:
        options.rounds, options.min_time = 2, 0.001
    return options


def main(given=None):
    options = arguments(given)
    with tempfile.TemporaryDirectory(prefix="isolates-compare-") as folder:
        with Builder(folder, options.bazel_flag) as builder:
            programs = {"old": builder.build("old", git("rev-parse", options.old), options.targets),
                        "new": builder.build("new", git("rev-parse", options.new), options.targets)}
        times = measure(programs, options)
    return tell(times, options)


def tell(times, options):
    """Prints the result. The exit status."""
    comparisons = []
    for (_, name), entry in times.items():
        if len(entry["old"]) == len(entry["new"]):
            comparisons.append(verdicts.Comparison(name, entry["unit"], entry["old"], entry["new"],
                                                   options.confidence))
        else:
            say("%s is not in both revisions" % name)
    print(verdicts.to_markdown(comparisons, options.confidence))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([one.to_json() for one in comparisons], file, indent=1)
            file.write("\n")
    if options.fail_above is None:
        return 0
    slower = [one for one in comparisons if one.slower_than(options.fail_above)]
    for one in slower:
        print("slower by more than %g %%: %s (%s)" % (options.fail_above, one.name,
                                                      verdicts.percent(one.ratio)))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
