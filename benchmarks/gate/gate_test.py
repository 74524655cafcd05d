"""What is read from callgrind's file, and what is called exceeded."""

import json
import os
import unittest

import counts
import gate

FILE = """\
fn=MeasuredOperations
12 30
cfn=isolates::Send()
calls=512 0
12 5000
fn=isolates::Send()
0 100
cfn=operator new(unsigned long)
calls=512 0
0 9000
cfn=mi_free
calls=512 0
0 9000
fn=operator new(unsigned long)
0 10
cfn=mi_theap_malloc
calls=512 0
0 900
fn=(below)
cfn=malloc'2
calls=3 0
0 900
totals: 123456
"""


class CountsTest(unittest.TestCase):

    def test_an_allocation_in_an_allocation_counts_once(self):
        self.assertEqual(counts.read(FILE.splitlines()), (123456, 515))

    def test_what_allocates(self):
        for name in ["malloc", "operator new[](unsigned long)", "mi_theap_malloc_aligned",
                     "operator new(unsigned long, std::align_val_t)", "mi_new", "mi_zalloc",
                     "posix_memalign"]:
            self.assertTrue(counts.allocates(name), name)
        for name in ["free", "operator delete(void*)", "mi_theap_get_default", "mi_free",
                     "mi_heap_new", "isolates::MallocHeap::Allocate()", "malloc_consolidate"]:
            self.assertFalse(counts.allocates(name), name)

    def test_the_difference_leaves_what_is_done_once(self):
        self.assertEqual(counts.for_each((10_000, 7), (15_000, 17), 10),
                         {"instructions": 500, "allocations": 1})


class JudgeTest(unittest.TestCase):
    BOUND = {"instructions": 1000, "allocations": 2}

    def judge(self, instructions, allocations):
        return counts.judge("x", {"instructions": instructions, "allocations": allocations},
                            self.BOUND, 4)

    def test_within(self):
        for instructions, allocations in [(1000, 2), (1039, 2.04), (961, 1.96)]:
            within, told = self.judge(instructions, allocations)
            self.assertTrue(within)
            self.assertNotIn("lower", told)

    def test_exceeded(self):
        for instructions, allocations in [(1041, 2), (1000, 3), (900, 2.1)]:
            within, told = self.judge(instructions, allocations)
            self.assertFalse(within)
            self.assertIn("EXCEEDED", told)

    def test_much_lower_is_told(self):
        for instructions, allocations in [(900, 2), (1000, 1)]:
            within, told = self.judge(instructions, allocations)
            self.assertTrue(within)
            self.assertIn("lower the bound", told)


class BoundsTest(unittest.TestCase):

    def test_bounds_are_complete(self):
        with open(os.path.join(gate.HERE, "bounds.json"), encoding="ascii") as file:
            bounds = json.load(file)
        self.assertLessEqual(bounds["tolerance_percent"], 5)
        with open(os.path.join(gate.HERE, "driver.cc"), encoding="ascii") as file:
            driver = file.read()
        for name in list(bounds["operations"]) + gate.PLANTED:
            self.assertIn('{"%s"' % name, driver)
        self.assertLessEqual(set(gate.PLANTED), set(bounds["operations"]))


if __name__ == "__main__":
    unittest.main()
