"""Results from where they come: programs that are run, or files of former runs."""

import json
import re
import statistics

_PERCENTILE = re.compile(r"^p(\d+(?:\.\d+)?)$")


def percentiles_of(fields, maximum="max"):
    """{percent: value} of fields such as p50, p99.9 and, for 100, the maximum's, if there are two
    percentiles at least."""
    found = {float(match.group(1)): value for name, value in fields.items()
             if (match := _PERCENTILE.match(name)) and isinstance(value, (int, float))
             and float(match.group(1)) < 100}
    if len(found) < 2:
        return {}
    if isinstance(fields.get(maximum), (int, float)):
        found[100.0] = fields[maximum]
    return {percent: found[percent] for percent in sorted(found) if found[percent] > 0}


class Benchmark:
    """One benchmark of Google Benchmark: all its repetitions."""

    def __init__(self, name, unit):
        self.name, self.unit = name, unit
        self.times = []     # wall-clock, one for each repetition
        self.counters = {}  # name: [values]

    def result(self):
        ordered = sorted(self.times)
        counters = {name: statistics.median(values) for name, values in self.counters.items()}
        return {"name": self.name, "unit": self.unit, "value": statistics.median(ordered),
                "min": ordered[0], "max": ordered[-1], "repetitions": len(ordered),
                "counters": counters, "percentiles": percentiles_of(counters)}


# What Google Benchmark tells of every benchmark; the rest are counters.
_OWN_FIELDS = {"name", "family_index", "per_family_instance_index", "run_name", "run_type",
               "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time",
               "time_unit", "label", "error_occurred", "error_message", "aggregate_name",
               "aggregate_unit"}


def google_benchmarks(document):
    """The results of a document of Google Benchmark, medians of the repetitions."""
    found = {}
    for run in document["benchmarks"]:
        if run.get("run_type", "iteration") != "iteration" or run.get("error_occurred"):
            continue
        name = run.get("run_name", run["name"])
        one = found.setdefault(name, Benchmark(name, run["time_unit"]))
        one.times.append(run["real_time"])
        for field, value in run.items():
            if field not in _OWN_FIELDS and isinstance(value, (int, float)):
                one.counters.setdefault(field, []).append(value)
    return [one.result() for one in found.values()]


def figures(rows):
    """An array of {name, value, unit, limit, ratio, ...}, with its percentiles if there are any.
    (Their max is that of the medians.)"""
    return [dict(row, percentiles=percentiles_of(row, "p100")) for row in rows]


class Results:
    """All that a report is about."""

    def __init__(self):
        self.benchmarks, self.figures, self.peers = [], [], []

    def add(self, document):
        """Any of the three kinds of document."""
        if isinstance(document, dict) and "benchmarks" in document:
            self.benchmarks += google_benchmarks(document)
        elif isinstance(document, list) and document and "workload" in document[0]:
            self.peers += document
        elif isinstance(document, list):
            self.figures += figures(document)
        else:
            raise ValueError("neither results of Google Benchmark nor an array of figures")

    def add_file(self, path):
        with open(path, encoding="utf-8") as file:
            self.add(json.load(file))

    def repetitions(self):
        """(kept, dropped) of all rows that tell."""
        rows = self.figures + self.peers
        return (sum(row.get("kept") or 0 for row in rows),
                sum(row.get("dropped") or 0 for row in rows))

    def latencies(self):
        """[(name, unit, {percent: value})]"""
        rows = self.benchmarks + self.figures
        return [(row["name"], row["unit"], row["percentiles"]) for row in rows
                if row["percentiles"]]


def split_name(name):
    """("BM_Port/2/real_time", ...) -> ("BM_Port", [2.0]): the family and its numeric arguments."""
    parts = name.split("/")
    arguments = []
    family = [parts[0]]
    for part in parts[1:]:
        label, _, number = part.rpartition(":")
        try:
            arguments.append(float(number))
        except ValueError:
            if part not in ("real_time", "manual_time", "process_time"):
                family.append(part)
        else:
            if label and label not in ("iterations", "repeats", "threads", "min_time"):
                family.append(label)
    return "/".join(family), arguments


def scaling(benchmarks):
    """[(family, unit, {series: [(x, time)]})] of families whose last argument has three values or
    more. (Arguments that begin with 0 are kinds, not sizes.)"""
    families = {}
    for row in benchmarks:
        family, arguments = split_name(row["name"])
        if arguments:
            series = "/".join("%g" % a for a in arguments[:-1])
            entry = families.setdefault((family, row["unit"]), {})
            entry.setdefault(series, []).append((arguments[-1], row["value"]))
    result = []
    for (family, unit), series in families.items():
        series = {name: sorted(points) for name, points in series.items()
                  if len(points) >= 3 and min(points)[0] > 0}
        if series:
            result.append((family, unit, series))
    return result
