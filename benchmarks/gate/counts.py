"""Reads what callgrind has written, and compares it with the bounds."""

import re

# Whatever gives out memory. Calls from one of them to another are one allocation.
_ALLOCATES = re.compile(
    r"^(malloc|calloc|realloc|aligned_alloc|posix_memalign|memalign|operator new\b.*|mi_new\w*"
    r"|mi_heap_alloc_new\w*|mi_(\w+_)?(malloc|zalloc|calloc|realloc)\w*)(\(|'|$)")
ALLOCATION_TOLERANCE = 0.05  # for each operation: what grows now and then


def allocates(function):
    return _ALLOCATES.match(function) is not None


def read(lines):
    """(instructions, allocations) of a file that was written with --compress-strings=no."""
    instructions = allocations = 0
    caller = callee = ""
    for line in lines:
        if line.startswith("fn="):
            caller = line[3:].strip()
        elif line.startswith("cfn="):
            callee = line[4:].strip()
        elif line.startswith("calls="):
            if allocates(callee) and not allocates(caller):
                allocations += int(line[6:].split()[0])
        elif line.startswith("totals:"):
            instructions = int(line.split()[1])
    return instructions, allocations


def for_each(few, many, operations):
    """The counts of one operation: the difference of two runs, by how many more the second has."""
    return {"instructions": (many[0] - few[0]) / operations,
            "allocations": (many[1] - few[1]) / operations}


def judge(name, counted, bound, tolerance):
    """(whether it is within the bound, what to say). tolerance: in percent."""
    told = "%-20s %8.0f instructions (bound %6d)  %6.2f allocations (bound %5.2f)" % (
        name, counted["instructions"], bound["instructions"], counted["allocations"],
        bound["allocations"])
    over = []
    if counted["instructions"] > bound["instructions"] * (1 + tolerance / 100):
        over.append("%+.1f %% instructions" % (
            100 * (counted["instructions"] / bound["instructions"] - 1)))
    if counted["allocations"] > bound["allocations"] + ALLOCATION_TOLERANCE:
        over.append("%+.2f allocations" % (counted["allocations"] - bound["allocations"]))
    if over:
        return False, told + "  EXCEEDED: " + ", ".join(over)
    if counted["instructions"] < bound["instructions"] * (1 - tolerance / 100) or \
            counted["allocations"] < bound["allocations"] - ALLOCATION_TOLERANCE:
        return True, told + "  much lower now: lower the bound (gate.py --update)"
    return True, told
