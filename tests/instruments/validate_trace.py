#!/usr/bin/env python3
"""Whether a file is a trace that Perfetto shows as it is meant. Usage: validate_trace.py FILE...

Looks at Chrome's JSON format: phases and their members, slices that nest in each track, times that
never step back in a track, arrows that begin and end once and in a slice, names of all tracks."""

import json
import sys

PHASES = {"B", "E", "M", "s", "f", "i"}


class Invalid(Exception):
    pass


def require(condition, what, event):
    if not condition:
        raise Invalid("%s: %s" % (what, json.dumps(event)))


class Track:
    """The slices of one track that are open, and the time of its last event."""

    def __init__(self):
        self.open = []
        self.last = 0.0
        self.slices = 0


def check_event(event):
    require(isinstance(event, dict), "an event is no object", event)
    require(event.get("ph") in PHASES, "a phase that the library does not write", event)
    for member in ("pid", "tid"):
        require(isinstance(event.get(member), int), "no number: " + member, event)
    require(isinstance(event.get("name"), str), "no name", event)
    require(isinstance(event.get("ts"), (int, float)) and event["ts"] >= 0, "no time", event)


def check_slice(track, event):
    require(event["ts"] >= track.last, "time steps back in a track", event)
    track.last = event["ts"]
    if event["ph"] == "B":
        require(event["name"] != "", "a slice without a name", event)
        track.open.append(event)
        track.slices += 1
    elif event["ph"] == "E":
        require(track.open, "an end without a begin", event)
        track.open.pop()


def check_flow(flows, event):
    require(isinstance(event.get("id"), int), "an arrow without a number", event)
    ends = flows.setdefault(event["id"], {})
    require(event["ph"] not in ends, "an arrow has two of these ends", event)
    ends[event["ph"]] = event


def check_flows(flows, tracks):
    for ends in flows.values():
        event = next(iter(ends.values()))
        require("s" in ends, "an arrow that begins nowhere", event)
        require("f" in ends, "an arrow that ends nowhere", event)
        require(ends["f"].get("bp") == "e", "an arrow that does not end in its slice", event)
        for end in ends.values():
            require((end["pid"], end["tid"]) in tracks, "an arrow without a track", end)


def validate(trace):
    """(slices, arrows, tracks) of a trace, or Invalid."""
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        raise Invalid("no list of events")
    tracks, named, processes, flows = {}, set(), set(), {}
    for event in trace["traceEvents"]:
        check_event(event)
        key = (event["pid"], event["tid"])
        if event["ph"] == "M":
            name = event.get("args", {}).get("name")
            require(isinstance(name, str) and name, "a track with an empty name", event)
            if event["name"] == "process_name":
                processes.add(event["pid"])
            else:
                require(event["name"] == "thread_name", "an unknown name", event)
                named.add(key)
            continue
        check_slice(tracks.setdefault(key, Track()), event)
        if event["ph"] in "sf":
            check_flow(flows, event)
        if event["ph"] == "f":
            require(tracks[key].open, "an arrow that ends outside of a slice", event)
    for key, track in tracks.items():
        if track.open:
            raise Invalid("a slice that does not end in track %d of process %d: %s" %
                          (key[1], key[0], json.dumps(track.open[-1])))
        if key not in named:
            raise Invalid("track %d of process %d has no name" % (key[1], key[0]))
        if key[0] not in processes:
            raise Invalid("process %d has no name" % key[0])
    check_flows(flows, tracks)
    return sum(track.slices for track in tracks.values()), len(flows), len(tracks)


def main():
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as file:
                counts = validate(json.load(file))
        except (Invalid, ValueError) as error:
            print("%s: not a valid trace: %s" % (path, error))
            return 1
        print("%s: %d slices, %d arrows, %d tracks" % ((path,) + counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
