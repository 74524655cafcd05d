"""What is called slower, and what is not."""

import contextlib
import io
import json
import os
import random
import tempfile
import unittest

import compare
import verdicts


def noisy(median, noise, count, seed):
    chance = random.Random(seed)
    return [median * (1 + chance.gauss(0, noise)) for _ in range(count)]


def comparison(old, new, confidence=0.99):
    return verdicts.Comparison("BM_A", "ns", old, new, confidence)


class VerdictsTest(unittest.TestCase):

    def test_both_run_first_equally_often(self):
        self.assertEqual(verdicts.order(4), [("old", "new"), ("new", "old")] * 2)

    def test_noise_alone_is_no_difference(self):
        wrong = sum(comparison(noisy(100, 0.05, 16, seed), noisy(100, 0.05, 16, 1000 + seed))
                    .verdict() != "no difference established" for seed in range(100))
        self.assertLessEqual(wrong, 5)

    def test_a_slowdown_in_noise_is_found(self):
        found = sum(comparison(noisy(100, 0.03, 16, seed), noisy(110, 0.03, 16, 1000 + seed))
                    .verdict() == "slower" for seed in range(100))
        self.assertGreaterEqual(found, 95)

    def test_faster(self):
        self.assertEqual(comparison([100] * 8, [90] * 8).verdict(), "faster")

    def test_a_drift_of_the_machine_is_no_difference(self):
        drift = [100 * 1.1 ** i for i in range(16)]
        self.assertEqual(comparison(drift, drift).verdict(), "no difference established")

    def test_one_outlier_does_not_decide(self):
        self.assertEqual(comparison([100] * 9, [100] * 8 + [1000]).verdict(),
                         "no difference established")

    def test_what_is_to_fail_must_be_established(self):
        one = comparison([100.0] * 16, noisy(108, 0.01, 16, 1))
        self.assertTrue(one.slower_than(5))
        self.assertFalse(one.slower_than(8))

    def test_the_interval_repeats_and_holds_the_median(self):
        values = noisy(1, 0.1, 20, 7)
        low, high = verdicts.interval_of_median(values, 0.95)
        self.assertEqual((low, high), verdicts.interval_of_median(values, 0.95))
        self.assertLessEqual(low, sorted(values)[10])
        self.assertGreaterEqual(high, sorted(values)[9])
        wider = verdicts.interval_of_median(values, 0.999)
        self.assertLessEqual(wider[0], low)
        self.assertGreaterEqual(wider[1], high)


class CompareTest(unittest.TestCase):
    """Programs that print what they were made to."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def program(self, name, time):
        path = os.path.join(self.folder, name)
        document = {"benchmarks": [{"name": "BM_A/1", "run_type": "iteration", "real_time": time,
                                    "time_unit": "ns"}]}
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho run %s >> %s/log\necho '%s'\n"
                       % (name, self.folder, json.dumps(document)))
        os.chmod(path, 0o755)
        return path

    def compare(self, old, new, *flags):
        options = compare.arguments(["a", "b", "--rounds=4"] + list(flags))
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            times = compare.measure({"old": {"t": self.program("old", old)},
                                     "new": {"t": self.program("new", new)}}, options)
            status = compare.tell(times, options)
        return status, out.getvalue()

    def test_runs_are_interleaved(self):
        self.compare(100, 100)
        with open(os.path.join(self.folder, "log"), encoding="ascii") as file:
            self.assertEqual(file.read().split(), "run old run new run new run old".split() * 2)

    def test_a_slowdown_is_the_exit_status(self):
        self.assertEqual(self.compare(100, 120, "--fail-above=10")[0], 1)
        self.assertEqual(self.compare(100, 120, "--fail-above=25")[0], 0)
        self.assertEqual(self.compare(100, 120)[0], 0)
        self.assertEqual(self.compare(100, 80, "--fail-above=1")[0], 0)

    def test_the_table(self):
        self.assertIn("| +20.0 % | +20.0 % .. +20.0 % | slower |", self.compare(100, 120)[1])

    def test_the_file_of_a_target(self):
        self.assertEqual(compare.built_file("//benchmarks:ports_bench"),
                         "bazel-bin/benchmarks/ports_bench")
        self.assertEqual(compare.built_file("//benchmarks/micro"), "bazel-bin/benchmarks/micro/micro")


if __name__ == "__main__":
    unittest.main()
