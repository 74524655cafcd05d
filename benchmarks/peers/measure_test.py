"""The bracket of every repetition, what is kept, and that the table fits the programs."""

import os
import unittest

import build
import measure
from systems import CASES, PROGRAMS, WORKLOADS, Case


def row(workload="W1"):
    return measure.Row(Case("system", workload, "std", "w1", "pinned", "note"), ["program"], "1")


class MeasureTest(unittest.TestCase):

    def test_limits_agree_within_a_tenth(self):
        self.assertTrue(measure.agree(100, 100))
        self.assertTrue(measure.agree(100, 110))
        self.assertTrue(measure.agree(110, 100))
        self.assertFalse(measure.agree(100, 111))
        self.assertFalse(measure.agree(111, 100))

    def test_a_repetition_between_two_different_limits_is_dropped(self):
        one = row()
        one.add(200, 100, 100)
        one.add(1000, 100, 430)
        one.add(220, 100, 104)
        one.add(260, 100, 100)
        result = one.result()
        self.assertEqual(result["kept"], 3)
        self.assertEqual(result["dropped"], 1)
        self.assertEqual(result["value"], 220)
        self.assertEqual(result["min"], 200)
        self.assertEqual(result["max"], 260)
        self.assertAlmostEqual(result["ratio"], 220 / 102)

    def test_the_ratio_is_the_median_of_the_ratios(self):
        one = row()
        for value, raw in [(200, 100), (900, 300), (100, 100)]:
            one.add(value, raw, raw)
        self.assertEqual(one.result()["ratio"], 2)

    def test_microseconds_are_compared_with_nanoseconds(self):
        one = row("W4")
        one.add(0.4, 100, 100)
        self.assertAlmostEqual(one.result()["ratio"], 4)

    def test_what_was_never_calm_says_so(self):
        one = row()
        one.add(200, 100, 200)
        self.assertEqual(one.result()["value"], 200)
        self.assertEqual(one.result()["kept"], 0)
        self.assertIn("no repetition was calm", one.result()["note"])

    def test_a_failure_has_no_value_and_a_note(self):
        one = row()
        one.error = "failed"
        self.assertIsNone(one.result()["value"])
        self.assertEqual(one.result()["note"], "note; failed")

    def test_without_a_limit_all_is_kept(self):
        one = row("W6")
        one.add(1200)
        self.assertEqual(one.result()["kept"], 1)
        self.assertIsNone(one.result()["ratio"])

    def test_lists_of_processors(self):
        self.assertEqual(measure.numbers("0-2,5"), [0, 1, 2, 5])


class TableTest(unittest.TestCase):

    def test_rows_are_unique_and_known(self):
        names = [(case.system, case.workload) for case in CASES]
        self.assertEqual(len(set(names)), len(names))
        for case in CASES:
            self.assertIn(case.workload, WORKLOADS)
            self.assertIn(case.program, PROGRAMS)
            self.assertTrue(case.case.startswith(case.workload.lower()), case)

    def test_every_program_exists_and_has_its_needs_declared(self):
        declared = {system for system, _, _ in build.needs()}
        for name, program in PROGRAMS.items():
            self.assertTrue(os.path.exists(os.path.join(build.HERE, program.source)), name)
            if name != "isolates":
                self.assertIn(name, declared)


if __name__ == "__main__":
    unittest.main()
