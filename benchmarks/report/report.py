#!/usr/bin/env python3
"""Runs benchmarks, and writes a report of them and of files of former runs. README.md says how."""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile

import collect
import noise
import pages

HERE = os.path.dirname(os.path.realpath(__file__))


def say(text):
    print("report: " + text, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, metavar="DIR", help="where the report goes")
    parser.add_argument("--quick", action="store_true",
                        help="only shows that everything runs")
    parser.add_argument("--benchmark", action="append", default=[], metavar="PROGRAM",
                        help="a program of Google Benchmark, to be run")
    parser.add_argument("--figures", action="append", default=[], metavar="PROGRAM",
                        help="a program that prints an array of figures with --json, to be run")
    parser.add_argument("--peers", metavar="FILE", help="a result of benchmarks/peers/run.py")
    parser.add_argument("--with-peers", action="store_true",
                        help="runs benchmarks/peers/run.py itself")
    parser.add_argument("--isolates-peer", metavar="PROGRAM", help="for --with-peers")
    parser.add_argument("--results", action="append", default=[], metavar="FILE",
                        help="results of a former run, of any kind")
    parser.add_argument("--title", default="isolates: benchmarks")
    options = parser.parse_args()
    # bazel run starts programs in a folder of its own.
    where = os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())
    options.out = os.path.join(where, options.out)
    options.results = [os.path.join(where, path) for path in options.results]
    if options.peers:
        options.results.append(os.path.join(where, options.peers))
    return options


def run(command):
    """What a program prints; None if it fails."""
    environment = dict(os.environ)
    environment.setdefault("MIMALLOC_ARENA_RESERVE", "64MiB")
    environment.setdefault("MIMALLOC_ALLOW_THP", "0")
    say(" ".join(command))
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, env=environment)
    if result.returncode != 0:
        say("it failed with status %d" % result.returncode)
        return None
    return result.stdout.decode()


def run_all(options, results, failed):
    """Runs what there is to run. What fails is told in the report."""
    def add(name, output):
        try:
            results.add(json.loads(output))
        except (TypeError, ValueError):
            failed.append(name)

    quick = options.quick
    for program in options.figures:
        add(program, run([program, "--json"] + (["--quick"] if quick else [])))
    for program in options.benchmark:
        flags = ["--benchmark_format=json", "--benchmark_min_time=%g" % (0.001 if quick else 0.1)]
        if not quick:
            flags += ["--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true"]
        add(program, run([program] + flags))
    if options.with_peers:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "peers.json")
            script = os.path.join(os.path.dirname(HERE), "peers", "run.py")
            command = [sys.executable, script, "--json=" + file]
            if options.isolates_peer:
                command.append("--isolates=" + os.path.realpath(options.isolates_peer))
            if run(command + (["--quick"] if quick else [])) is None:
                failed.append("benchmarks/peers/run.py")
            else:
                results.add_file(file)


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    results = collect.Results()
    failed = []
    for path in options.results:
        results.add_file(path)
    with noise.Watch() as watch:
        run_all(options, results, failed)
    facts = watch.facts()
    kept, dropped = results.repetitions()
    trusted, against, remarks = noise.verdict(facts, kept, dropped, options.quick)
    if failed:
        trusted = False
        against += ["%s failed" % os.path.basename(name) for name in failed]
    if options.results:
        remarks.append("results of former runs are part of it, for which this certificate does "
                       "not vouch: "
                       + ", ".join(os.path.basename(path) for path in options.results))

    when = datetime.datetime.now().strftime("%Y-%m-%d %H:%M") + ", " + facts["cpu"]
    sections = pages.noise_sections(facts, kept, dropped, trusted, against, remarks)
    sections += pages.figure_sections(results.figures)
    sections += pages.peer_sections(results.peers)
    sections += pages.latency_sections(results.latencies())
    sections += pages.scaling_sections(collect.scaling(results.benchmarks))
    sections += pages.benchmark_sections(results.benchmarks)
    for name, content in [
            ("report.html", pages.to_html(options.title, when, sections)),
            ("report.md", pages.to_markdown(options.title, when, sections)),
            ("report.json", pages.to_json(options.title, when, facts, trusted, against, results))]:
        with open(os.path.join(options.out, name), "w", encoding="utf-8") as file:
            file.write(content)
    say("written to " + options.out)
    for reason in against:
        say("not to be trusted: " + reason)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
