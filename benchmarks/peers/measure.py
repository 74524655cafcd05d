"""Repetitions that take turns, each between two measurements of the machine's limit."""

import os
import statistics
import subprocess

from systems import WORKLOADS

DISAGREEMENT = 0.10  # of the two limits around a repetition: beyond, it is dropped


def processors():
    """Two processors that this process may use, of different cores if there are such."""
    allowed = sorted(os.sched_getaffinity(0))
    first = allowed[0]
    same_core = {first}
    try:
        path = "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % first
        with open(path, encoding="ascii") as file:
            same_core = set(numbers(file.read().strip()))
    except OSError:
        pass
    others = [cpu for cpu in allowed if cpu not in same_core] or allowed[1:]
    return first, others[0] if others else first


def numbers(text):
    """The numbers of a list such as "0-2,5"."""
    result = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        result.extend(range(int(low), int(high or low) + 1))
    return result


def run(command, cpus, timeout):
    """The value that a program prints. None if it fails or does not end in time."""
    environment = dict(os.environ, ERL_CRASH_DUMP="/dev/null")
    environment.setdefault("MIMALLOC_ARENA_RESERVE", "64MiB")
    environment.setdefault("MIMALLOC_ALLOW_THP", "0")
    try:
        result = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=timeout, env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, set(cpus)))
    except subprocess.TimeoutExpired:
        return None, "did not end in %d s" % timeout
    for line in result.stdout.splitlines():
        if line.startswith("value "):
            return float(line.split()[1]), ""
    return None, "failed with status %d: %s" % (result.returncode,
                                                result.stderr.strip().splitlines()[-1:])


def agree(before, after):
    """Whether two limits are near enough to each other."""
    return abs(before - after) <= DISAGREEMENT * min(before, after)


class Row:
    """The repetitions of one case."""

    def __init__(self, case, command, version):
        self.case = case
        self.command = command
        self.version = version
        self.values = []  # (value, raw) of those that are kept
        self.others = []  # of those that are dropped
        self.error = ""

    def add(self, value, before=None, after=None):
        if before is None:
            self.values.append((value, None))
        elif agree(before, after):
            self.values.append((value, (before + after) / 2))
        else:
            self.others.append((value, (before + after) / 2))

    def result(self):
        workload = WORKLOADS[self.case.workload]
        note = self.case.note
        used = self.values
        if not used and self.others:
            used = self.others
            note = "; ".join(filter(None, [note, "no repetition was calm: all are used"]))
        if self.error:
            note = "; ".join(filter(None, [note, self.error]))
        values = [value for value, _ in used]
        raws = [raw for _, raw in used if raw is not None]
        ratios = [ratio_of(value, raw, workload.unit) for value, raw in used if raw is not None]

        def middle(of):
            return statistics.median(of) if of else None

        return {
            "system": self.case.system, "workload": self.case.workload, "value": middle(values),
            "unit": workload.unit, "raw": middle(raws), "ratio": middle(ratios),
            "min": min(values, default=None), "max": max(values, default=None),
            "kept": len(self.values), "dropped": len(self.others),
            "placement": self.case.placement, "version": self.version, "note": note}


def ratio_of(value, raw, unit):
    """Of a value to the machine's limit, which is in ns or Mmsg/s."""
    return value * (1000 if unit == "us" else 1) / raw


def measure(rows, raw, options, say):
    """Fills the rows of one workload. options: cpus, repeat, seconds, file, timeout."""
    kind = WORKLOADS[rows[0].case.workload].raw
    cpus = [str(cpu) for cpu in options.cpus]

    def limit():
        value, error = run(raw + [kind] + cpus, options.cpus, options.timeout)
        if value is None:
            raise RuntimeError("the measurement of the limit: " + error)
        return value

    attempts = options.repeat if options.repeat == 1 else 3 * options.repeat
    for _ in range(attempts):
        open_rows = [r for r in rows if len(r.values) < options.repeat and not r.error]
        if not open_rows:
            break
        after = limit() if kind else None
        for row in open_rows:
            before = after  # the limit after one is the limit before the next
            command = row.command + [row.case.case, str(options.seconds)] + cpus + [options.file]
            value, error = run(command, options.cpus, options.timeout)
            after = limit() if kind else None
            if value is None:
                row.error = error
                say("%s: %s" % (row.case.system, error))
            elif kind:
                row.add(value, before, after)
            else:
                row.add(value)
