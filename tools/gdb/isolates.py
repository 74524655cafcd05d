"""Isolates in gdb: `info isolates` lists those that live.

    (gdb) source tools/gdb/isolates.py
    (gdb) info isolates
      Id  Name            State     Thread  Kept by
    *  1  main            runs      1       its thread
       7  parser          waits     3       1 port, result or timer

The library must have debug information (-c dbg, or --config=perf). A star marks the isolate of
the selected thread.
"""

import gdb

# IsolateState's bits.
NOTIFIED, ACTIVE, BLOCKED, DEAD = 1, 2, 4, 8

# A static variable of a function: gdb knows its address, but not its type.
RUNTIME = "'isolates::internal::Runtime::Get()::runtime'"


def atomic(value):
    """What a std::atomic holds."""
    for member in ("_M_i", "_M_b", "_M_base"):
        if any(field.name == member for field in value.type.strip_typedefs().fields()):
            inner = value[member]
            return atomic(inner) if inner.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT else inner
    base = value.type.strip_typedefs().fields()[0]
    return atomic(value[base])


def text(value):
    """A std::string's letters."""
    pointer = value["_M_dataplus"]["_M_p"]
    length = int(value["_M_string_length"])
    if length == 0:
        return ""
    return bytes(gdb.selected_inferior().read_memory(int(pointer), length)).decode("utf-8", "replace")


def elements(vector):
    """Of a std::vector."""
    first, last = vector["_M_impl"]["_M_start"], vector["_M_impl"]["_M_finish"]
    while first != last:
        yield first.dereference()
        first += 1


def pointee(unique):
    """What a std::unique_ptr points to: it is a pointer and nothing else."""
    pointer = unique.type.strip_typedefs().template_argument(0).pointer()
    return unique.address.cast(pointer.pointer()).dereference().dereference()


def state_name(word):
    if word & DEAD:
        return "ended"
    if not word & ACTIVE:
        return "idle"
    if word & BLOCKED:
        return "waits"
    return "runs"


class Isolate:
    def __init__(self, core, running):
        self.id = int(core["id_"])
        self.name = text(core["name_"])
        self.state = state_name(int(atomic(core["state_"]["word_"])))
        self.tid = running.get(self.id)
        self.attached = int(core["attached_"]) != 0
        if self.state == "runs" and self.tid is None and not self.attached:
            self.state = "ready"
        self.keepers = int(atomic(core["keep_alive_"]))

    def kept_by(self):
        parts = ["its thread"] if self.attached else []
        if self.keepers > 0:
            parts.append("%d port%s, result or timer" % (self.keepers, "s"[self.keepers == 1:]))
        return ", ".join(parts)


def workers(runtime):
    """The isolates that run, by id: the system's number of their thread."""
    running = {}
    for unique in elements(runtime["workers_"]):
        worker = pointee(unique)
        if int(atomic(worker["turns"])) % 2 == 1:
            running[int(atomic(worker["runs"]))] = int(worker["tid"])
    return running


def live_isolates():
    try:
        address = gdb.parse_and_eval("(unsigned long)&" + RUNTIME)
        runtime_type = gdb.lookup_type("isolates::internal::Runtime")
    except gdb.error as error:
        raise gdb.GdbError("no debug information of the library: %s" % error) from None
    pointer = address.cast(runtime_type.pointer().pointer()).dereference()
    if int(pointer) == 0:
        return []
    runtime = pointer.dereference()
    running = workers(runtime)
    link = gdb.lookup_type("isolates::internal::LiveLink").pointer()
    isolates = []
    shards = runtime["live_"]["_M_elems"]
    for i in range(shards.type.strip_typedefs().range()[1] + 1):
        head = shards[i]["isolates"]
        node = head["next"]
        while node != head.address:
            core = node.cast(link)["core"].referenced_value()
            isolates.append(Isolate(core, running))
            node = node["next"]
    return sorted(isolates, key=lambda isolate: isolate.id)


class InfoIsolates(gdb.Command):
    """List the isolates that live: number, name, state, thread, and what keeps them alive."""

    def __init__(self):
        super().__init__("info isolates", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        threads = {thread.ptid[1] or thread.ptid[0]: thread.num
                   for thread in gdb.selected_inferior().threads()}
        selected = gdb.selected_thread()
        here = selected.ptid[1] if selected is not None else None
        isolates = live_isolates()
        if not isolates:
            print("No isolates.")
            return
        width = max(len("Name"), *(len(isolate.name) for isolate in isolates))
        print("  %4s  %-*s  %-7s  %-6s  %s" % ("Id", width, "Name", "State", "Thread", "Kept by"))
        for isolate in isolates:
            line = "%s %4d  %-*s  %-7s  %-6s  %s" % (
                "*" if isolate.tid is not None and isolate.tid == here else " ", isolate.id, width,
                isolate.name, isolate.state, threads.get(isolate.tid, ""), isolate.kept_by())
            print(line.rstrip())


InfoIsolates()
