"""What all experiments have in common: runs programs and tools, and writes tables, pictures and JSON.

An experiment is a function that gets a Run and adds to it what it has found; run(name, function) is
its main program."""

import argparse
import collections
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
# The plots, tables and the noise certificate of benchmarks.
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "benchmarks", "report"))

import noise  # noqa: E402
import pages  # noqa: E402
import plots  # noqa: E402

BEGIN, END = "<!-- figures: written by the command -->", "<!-- end of figures -->"
# Cheap fresh heaps, as in README.md.
ENVIRONMENT = {"MIMALLOC_ARENA_RESERVE": "64MiB", "MIMALLOC_ALLOW_THP": "0"}


class Missing(Exception):
    """A tool or a counter that this machine does not have; the text says which."""


def split(name):
    """The series and the place on its axis, of a row that is called "series: place"."""
    series, _, place = name.partition(": ")
    return series, place


def spread(row):
    return "%s .. %s" % (plots.short(row["min"]), plots.short(row["max"]))


def median_of(runs):
    """Rows of several runs of one program to one row each: the median, and the spread of the runs."""
    values = collections.defaultdict(list)
    for row in (row for rows in runs for row in rows):
        if row["value"] is not None:
            values[row["name"]].append(row["value"])
    rows = []
    for row in runs[0]:
        seen = values[row["name"]] or [0]
        rows.append(dict(row, value=statistics.median(seen), min=min(seen), max=max(seen),
                         kept=len(seen)))
    return rows


class Run:
    """One run of an experiment."""

    def __init__(self, name, options):
        self.name, self.quick = name, options.quick
        self._programs = {os.path.basename(path): os.path.realpath(path)
                          for path in options.program}
        self.tables, self.pictures, self.notes, self.raw = [], [], [], {}
        self._facts = []  # what else the machine did while times were measured

    # --- what it runs

    def program(self, name):
        return self._programs[name]

    def command(self, command, **options):
        """The finished process; SystemExit if it fails."""
        options.setdefault("stdout", subprocess.PIPE)
        done = subprocess.run(command, check=False, text=True,
                              env=dict(ENVIRONMENT, **os.environ), **options)
        if done.returncode != 0:
            raise SystemExit("%s: failed with status %d: %s\n%s" % (
                self.name, done.returncode, " ".join(command), done.stderr or ""))
        return done

    def rows(self, name, *arguments):
        """The figures that a program prints with --json."""
        return self.timed([self.program(name), *arguments, "--json"]
                          + (["--quick"] if self.quick else []))

    def timed(self, command):
        """The JSON that a command prints, which measures times: the certificate is about these."""
        with noise.Watch() as watch:
            output = self.command(command).stdout
        self._facts.append(watch.facts())
        return json.loads(output)

    def tool(self, name):
        path = shutil.which(name)
        if path is None:
            raise Missing("%s is not installed" % name)
        return path

    def counters(self, events, command):
        """{event: count} of a process and its threads, by perf. Missing: what the machine or the
        system does not count."""
        self._require_counters(events)
        counted = {}
        with tempfile.NamedTemporaryFile("r") as file:
            self.command([self.tool("perf"), "stat", "-x", ";", "-o", file.name,
                          "-e", ",".join(events), "--", *command], stderr=subprocess.PIPE)
            for line in file:
                fields = line.split(";")
                if len(fields) > 2 and fields[0].isdigit():
                    counted[fields[2]] = int(fields[0])
        return counted

    def _require_counters(self, events):
        probe = subprocess.run([self.tool("perf"), "stat", "-x", ";", "-e", ",".join(events), "true"],
                               check=False, capture_output=True, text=True)
        if probe.returncode != 0 or "<not" in probe.stderr:
            raise Missing("perf does not count %s here" % ", ".join(events))

    def for_each(self, events, command, few, many):
        """{event: count for each operation}: the difference of two runs, whose last argument says
        how many operations."""
        first, second = (self.counters(events, [*command, str(n)]) for n in (few, many))
        return {event: (second[event] - first[event]) / (many - few) for event in events}

    # --- what it has found

    def note(self, text):
        """A line below the tables: what was missing, and what took its place."""
        self.notes.append(text)

    def table(self, title, columns, rows):
        """columns: [(title, whether it is a number)]; rows: [[text or number]]."""
        cells = [[cell if isinstance(cell, str) else plots.short(cell) for cell in row]
                 for row in rows]
        self.tables.append((title, pages.Table(columns, cells)))
        self.raw.setdefault("tables", []).append(
            {"title": title, "columns": [c for c, _ in columns], "rows": rows})

    def figures(self, title, rows, limit="limit"):
        """A table of rows as programs print them."""
        limited = any(row["limit"] is not None for row in rows)
        columns = [("", False), ("median", True), ("min .. max", True), ("unit", False)]
        if limited:
            columns += [(limit, True), ("ratio", True)]
        columns.append(("kept, dropped", True))
        self.table(title, columns, [
            [row["name"], row["value"], spread(row), row["unit"]]
            + ([row["limit"], row["ratio"]] if limited else [])
            + ["%d, %d" % (row["kept"], row["dropped"])] for row in rows])

    def picture(self, title, picture):
        """One of plots.bars, plots.curves, plots.percentiles."""
        self.pictures.append((title, picture))

    # --- what it writes

    def certificate(self):
        """When, on what, and what else went on while times were measured."""
        facts = dict(self._facts[0])
        seconds = sum(one["seconds"] for one in self._facts)
        for part in ("steal", "others"):
            facts[part] = sum(one[part] * one["seconds"] for one in self._facts) / seconds
        _, against, _ = noise.verdict(facts, 0, 0, self.quick)
        return "%s; %s, %d %sprocessors, Linux %s; %s." % (
            datetime.date.today().isoformat(), facts["cpu"], facts["processors"],
            "virtual " if facts["virtual"] else "", facts["kernel"],
            "; ".join(against) if against else "others used %.1f %% of the processors meanwhile"
            % (100 * facts["others"]))

    def markdown(self):
        parts = [self.certificate() + "\n"]
        for title, table in self.tables:
            parts.append("**%s**\n\n%s" % (title, table.to_markdown()))
        parts.append("".join("- %s\n" % note for note in self.notes))
        return "\n".join(parts)

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, self.name)
        markdown = self.markdown()
        with open(path + ".svg", "w", encoding="utf-8") as file:
            file.write(plots.standalone(self.pictures))
        with open(path + ".json", "w", encoding="utf-8") as file:
            json.dump({"experiment": self.name, "quick": self.quick,
                       "certificate": self.certificate(), "notes": self.notes, **self.raw},
                      file, indent=1)
            file.write("\n")
        if os.path.exists(path + ".md"):
            with open(path + ".md", encoding="utf-8") as file:
                page = file.read()
            if BEGIN in page and END in page:
                page = page[:page.index(BEGIN) + len(BEGIN)] + "\n" + markdown \
                    + page[page.index(END):]
                with open(path + ".md", "w", encoding="utf-8") as file:
                    file.write(page)
        return markdown


def run(name, experiment):
    """The main program of an experiment: experiment(run) adds what it has found to the run."""
    parser = argparse.ArgumentParser(description="An experiment; its page is %s.md." % name)
    parser.add_argument("--out", metavar="DIR", help="writes NAME.svg and NAME.json there, and the "
                        "tables into NAME.md if that is there")
    parser.add_argument("--quick", action="store_true", help="only shows that everything works")
    parser.add_argument("--program", action="append", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    this = Run(name, options)
    experiment(this)
    if options.out:
        # bazel run starts programs in a folder of its own.
        folder = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), options.out)
        print(this.write(folder))
        print("written to %s" % os.path.join(folder, name + ".*"), file=sys.stderr)
    else:
        print(this.markdown())


# --- callgrind

def callgrind(this, program, arguments):
    """{function: instructions of its own} of all threads of a run."""
    valgrind = this.tool("valgrind")
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "out")
        this.command([valgrind, "-q", "--tool=callgrind", "--compress-strings=no",
                      "--compress-pos=no", "--callgrind-out-file=" + file, program, *arguments],
                     stderr=subprocess.PIPE)
        with open(file, encoding="utf-8", errors="replace") as lines:
            return own_costs(lines)


def own_costs(lines):
    """Of a file that callgrind has written with --compress-strings=no: the lines of costs that
    follow a fn= line, but for the one after calls=, which is what the callee has cost."""
    costs = collections.Counter()
    function, called = "", False
    for line in lines:
        if line.startswith("fn="):
            function = line[3:].strip()
        elif line.startswith("calls="):
            called = True
        elif re.match(r"[0-9+*-]", line):
            fields = line.split()
            if not called and len(fields) > 1:
                costs[function] += int(fields[1])
            called = False
    return costs


def callgrind_for_each(this, program, arguments, few, many):
    """The same for each operation: the difference of two runs, whose last argument says how many."""
    first, second = (callgrind(this, program, [*arguments, str(n)]) for n in (few, many))
    return {function: (count - first[function]) / (many - few)
            for function, count in second.items() if count != first[function]}
