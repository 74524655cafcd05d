#!/usr/bin/env python3
"""The trace of a real program is valid; broken in any way it is refused."""

import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import validate_trace

PROGRAM = os.environ["TRACED_PROGRAM"]


class TraceFileTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "trace.json")
            subprocess.run([PROGRAM, path], check=True)
            with open(path, encoding="utf-8") as file:
                cls.trace = json.load(file)

    def broken(self, change):
        trace = copy.deepcopy(self.trace)
        change(trace["traceEvents"])
        with self.assertRaises(validate_trace.Invalid) as raised:
            validate_trace.validate(trace)
        return str(raised.exception)

    def first(self, events, **members):
        return next(i for i, event in enumerate(events)
                    if all(event.get(name) == value for name, value in members.items()))

    def test_is_valid(self):
        slices, arrows, tracks = validate_trace.validate(self.trace)
        # 3 workers, 300 numbers and squares each, on the machine and in the simulation.
        self.assertGreaterEqual(arrows, 2 * 2 * 3 * 300)
        self.assertGreater(slices, arrows)
        self.assertGreaterEqual(tracks, 2 * (4 + 1))

    def test_names_are_there(self):
        names = {event["args"]["name"] for event in self.trace["traceEvents"]
                 if event["ph"] == "M"}
        for i in range(3):
            self.assertIn('worker \\ "%d"' % i, names)
        self.assertIn("main", names)
        handled = {event["name"] for event in self.trace["traceEvents"] if event["ph"] == "B"}
        self.assertIn("squares", handled)

    def test_a_missing_end_is_found(self):
        def change(events):
            del events[self.first(events, ph="E")]
        self.assertIn("slice that does not end", self.broken(change))

    def test_a_missing_begin_is_found(self):
        def change(events):
            del events[self.first(events, ph="B")]
        self.assertRegex(self.broken(change), "without a begin|outside of a slice")

    def test_a_flow_without_a_start_is_found(self):
        def change(events):
            del events[self.first(events, ph="s")]
        self.assertIn("begins nowhere", self.broken(change))

    def test_a_flow_without_an_end_is_found(self):
        def change(events):
            del events[self.first(events, ph="f")]
        self.assertIn("ends nowhere", self.broken(change))

    def test_time_that_steps_back_is_found(self):
        def change(events):
            events[self.first(events, ph="E")]["ts"] = 0
            events[self.first(events, ph="B")]["ts"] = 1
        self.assertIn("steps back", self.broken(change))

    def test_a_track_without_a_name_is_found(self):
        def change(events):
            del events[self.first(events, ph="M", name="thread_name")]
        self.assertIn("has no name", self.broken(change))

    def test_other_events_are_found(self):
        self.assertIn("phase", self.broken(lambda events: events.append({"ph": "Q"})))


if __name__ == "__main__":
    unittest.main()
