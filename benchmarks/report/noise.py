"""The noise certificate: what else went on while a run was measured, and whether to trust it."""

import os
import platform
import resource
import threading
import time

# What a run that is to be trusted stays below.
MOST_STEAL = 0.01            # of the time of all processors
MOST_OTHERS = 0.05           # of the time of all processors, used by others than the run
MOST_DROPPED = 0.5           # of the repetitions
# Beyond, there is a remark.
MOST_FREQUENCY_CHANGE = 0.1
MANY_PREEMPTIONS = 100  # for each second of processor time


def _read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def cpu_times(stat):
    """Seconds of (all, idle, stolen) time, of all processors, by /proc/stat."""
    fields = [float(f) / os.sysconf("SC_CLK_TCK") for f in stat.splitlines()[0].split()[1:]]
    # user nice system idle iowait irq softirq steal (guest times are in user and nice)
    return sum(fields[:8]), fields[3] + fields[4], fields[7]


def context_switches(stat):
    return int(next(line.split()[1] for line in stat.splitlines() if line.startswith("ctxt ")))


def frequencies(cpuinfo):
    return [float(line.split(":")[1]) for line in cpuinfo.splitlines()
            if line.startswith("cpu MHz")]


def machine():
    """What does not change during a run."""
    cpuinfo = _read("/proc/cpuinfo") or ""
    fields = dict(reversed([tuple(part.strip() for part in line.split(":", 1))
                            for line in cpuinfo.splitlines() if ":" in line]))
    governor = _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "cpu": fields.get("model name", platform.machine()),
        "processors": len(os.sched_getaffinity(0)),
        "virtual": " hypervisor" in fields.get("flags", ""),
        "kernel": platform.release(),
        "governor": governor.strip() if governor else None,
    }


class Migrations:
    """Counts how often the threads of running children were moved to another processor, as far as
    the kernel tells (/proc/PID/sched): threads that live shorter than a look are missed."""

    def __init__(self):
        self._seen = {}
        self._told = False
        self._end = threading.Event()
        self._thread = None

    def __enter__(self):
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _watch(self):
        while not self._end.wait(0.5):
            self.look()

    def look(self):
        for child in (_read("/proc/self/task/%d/children" % os.getpid()) or "").split():
            try:
                tasks = os.listdir("/proc/%s/task" % child)
            except OSError:
                continue
            for task in tasks:
                sched = _read("/proc/%s/task/%s/sched" % (child, task)) or ""
                for line in sched.splitlines():
                    if line.startswith("se.nr_migrations"):
                        self._told = True
                        self._seen[task] = int(line.split(":")[1])

    def count(self):
        return sum(self._seen.values()) if self._told else None


class Watch:
    """Around a run: with Watch() as watch: ...; then watch.facts()."""

    def __init__(self):
        self._migrations = Migrations()
        self._before = self._after = None

    @staticmethod
    def _sample():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = resource.getrusage(resource.RUSAGE_SELF)
        return {"time": time.monotonic(), "stat": _read("/proc/stat"), "children": children,
                "processor_seconds": children.ru_utime + children.ru_stime + own.ru_utime
                                     + own.ru_stime,
                "mhz": frequencies(_read("/proc/cpuinfo") or ""), "load": os.getloadavg()[0]}

    def __enter__(self):
        self._before = self._sample()
        self._migrations.__enter__()
        return self

    def __exit__(self, *_):
        self._migrations.__exit__()
        self._after = self._sample()

    def facts(self):
        before, after = self._before, self._after
        total, idle, steal = (b - a for a, b in zip(cpu_times(before["stat"]),
                                                    cpu_times(after["stat"])))
        ours = after["processor_seconds"] - before["processor_seconds"]
        mhz = [m for m in before["mhz"] + after["mhz"] if m > 0]
        return dict(machine(), **{
            "seconds": after["time"] - before["time"],
            "steal": steal / total if total > 0 else 0.0,
            "others": max(0.0, total - idle - steal - ours) / total if total > 0 else 0.0,
            "processor_seconds": ours,
            "context_switches_of_machine": context_switches(after["stat"])
                                           - context_switches(before["stat"]),
            "waits": after["children"].ru_nvcsw - before["children"].ru_nvcsw,
            "preemptions": after["children"].ru_nivcsw - before["children"].ru_nivcsw,
            "migrations": self._migrations.count(),
            "mhz_min": min(mhz, default=None), "mhz_max": max(mhz, default=None),
            "load_before": before["load"], "load_after": after["load"]})


def verdict(facts, kept, dropped, quick):
    """(whether the run can be trusted, [why not], [what else to know])."""
    against, remarks = [], []
    if quick:
        against.append("it was a quick run, which only shows that everything works")
    if facts["processors"] < 2:
        against.append("there was only one processor")
    if facts["steal"] > MOST_STEAL:
        against.append("the host took %.1f %% of the time for others (steal; at most %g %%)"
                       % (100 * facts["steal"], 100 * MOST_STEAL))
    if facts["others"] > MOST_OTHERS:
        against.append("other processes used %.1f %% of the processors (at most %g %%)"
                       % (100 * facts["others"], 100 * MOST_OTHERS))
    if kept + dropped > 0 and dropped > MOST_DROPPED * (kept + dropped):
        against.append("%d of %d repetitions were dropped, because the limit of the machine "
                       "changed meanwhile" % (dropped, kept + dropped))
    rate = facts["preemptions"] / facts["processor_seconds"] if facts["processor_seconds"] else 0
    if rate > MANY_PREEMPTIONS:
        remarks.append("threads were preempted %.0f times for each second of processor time: no "
                       "disturbance where programs share a processor on purpose, or yield" % rate)
    if facts["mhz_max"] and facts["mhz_max"] > (1 + MOST_FREQUENCY_CHANGE) * facts["mhz_min"]:
        remarks.append("the frequency was between %.0f and %.0f MHz: compare ratios only"
                       % (facts["mhz_min"], facts["mhz_max"]))
    if facts["governor"] not in (None, "performance"):
        remarks.append("the governor is %s, not performance" % facts["governor"])
    if facts["virtual"]:
        remarks.append("a virtual machine: the host may move the processors without a trace in "
                       "steal; repetitions between differing limits are dropped for that")
    return not against, against, remarks
