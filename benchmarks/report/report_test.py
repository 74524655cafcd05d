"""What is read from results, the verdict on a run, and that the pages hold what they should."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import collect
import noise
import pages

CALM = {"processors": 2, "steal": 0.0, "others": 0.01, "preemptions": 10, "processor_seconds": 20.0,
        "mhz_min": 2600.0, "mhz_max": 2600.0, "governor": None, "virtual": False}


def iteration(name, time, **more):
    return dict({"name": name, "run_name": name, "run_type": "iteration", "iterations": 1,
                 "real_time": time, "cpu_time": time, "time_unit": "ns"}, **more)


class CollectTest(unittest.TestCase):

    def test_repetitions_are_one_row_with_their_median(self):
        rows = collect.google_benchmarks({"benchmarks": [
            iteration("BM_A", 10, allocations=2), iteration("BM_A", 30, allocations=2),
            iteration("BM_A", 11, allocations=4), iteration("BM_B", 1),
            dict(iteration("BM_A_mean", 17), run_type="aggregate", run_name="BM_A"),
            dict(iteration("BM_C", 0), error_occurred=True)]})
        self.assertEqual([r["name"] for r in rows], ["BM_A", "BM_B"])
        self.assertEqual((rows[0]["value"], rows[0]["min"], rows[0]["max"]), (11, 10, 30))
        self.assertEqual(rows[0]["counters"], {"allocations": 2})

    def test_percentiles(self):
        self.assertEqual(collect.percentiles_of({"p50": 1, "p99.9": 3, "max": 9, "value": 5}),
                         {50.0: 1, 99.9: 3, 100.0: 9})
        self.assertEqual(collect.percentiles_of({"p50": 1, "max": 9}), {})

    def test_names(self):
        self.assertEqual(collect.split_name("BM_A/2/64/real_time"), ("BM_A", [2, 64]))
        self.assertEqual(collect.split_name("BM_A/busy:3"), ("BM_A/busy", [3]))
        self.assertEqual(collect.split_name("BM_A/spin/8"), ("BM_A/spin", [8]))

    def test_scaling_needs_three_values(self):
        rows = [{"name": "BM_A/%d/%d" % (k, n), "unit": "ns", "value": n}
                for k in (0, 1) for n in (4, 1, 2)] \
            + [{"name": "BM_B/1", "unit": "ns", "value": 1}] \
            + [{"name": "BM_Kinds/%d" % n, "unit": "ns", "value": 1} for n in range(4)]
        self.assertEqual(collect.scaling(rows), [
            ("BM_A", "ns", {"0": [(1, 1), (2, 2), (4, 4)], "1": [(1, 1), (2, 2), (4, 4)]})])

    def test_every_kind_of_document_is_known(self):
        results = collect.Results()
        results.add({"benchmarks": [iteration("BM_A", 1)]})
        results.add([{"name": "f", "value": 1, "unit": "ns", "kept": 3, "dropped": 1}])
        results.add([{"system": "s", "workload": "W1", "value": 1, "kept": 4, "dropped": 2}])
        self.assertEqual((len(results.benchmarks), len(results.figures), len(results.peers)),
                         (1, 1, 1))
        self.assertEqual(results.repetitions(), (7, 3))
        with self.assertRaises(ValueError):
            results.add({"what": 1})


class NoiseTest(unittest.TestCase):

    def test_a_calm_run_is_trusted(self):
        self.assertEqual(noise.verdict(CALM, 10, 2, False), (True, [], []))

    def test_each_disturbance_is_a_reason(self):
        for change, word in [({"steal": 0.02}, "steal"), ({"others": 0.2}, "other processes"),
                             ({"processors": 1}, "one")]:
            trusted, against, _ = noise.verdict(dict(CALM, **change), 10, 2, False)
            self.assertFalse(trusted)
            self.assertEqual(len(against), 1)
            self.assertIn(word, against[0])

    def test_dropped_repetitions_and_quick_runs_are_reasons(self):
        self.assertFalse(noise.verdict(CALM, 4, 6, False)[0])
        self.assertTrue(noise.verdict(CALM, 6, 4, False)[0])
        self.assertFalse(noise.verdict(CALM, 10, 0, True)[0])

    def test_remarks_do_not_spoil_a_run(self):
        trusted, _, remarks = noise.verdict(
            dict(CALM, governor="powersave", virtual=True, mhz_max=3600.0, preemptions=10**6), 10, 0,
            False)
        self.assertTrue(trusted)
        self.assertEqual(len(remarks), 4)

    def test_times_of_the_processors(self):
        total, idle, steal = noise.cpu_times("cpu  100 0 50 800 50 0 0 25 10 0\ncpu0 1 1\n")
        self.assertAlmostEqual(steal / total, 25 / 1025)
        self.assertAlmostEqual(idle / total, 850 / 1025)

    def test_a_watch_tells_all_that_the_verdict_and_the_page_want(self):
        with noise.Watch() as watch:
            pass
        facts = watch.facts()
        noise.verdict(facts, 0, 0, False)
        pages.noise_sections(facts, 0, 0, True, [], [])


class PagesTest(unittest.TestCase):

    def setUp(self):
        self.results = collect.Results()
        self.results.add([
            {"name": "round <trip>", "value": 110, "unit": "ns", "limit": 75, "ratio": 1.46,
             "reach": 1.5, "reached": True, "kept": 3, "dropped": 0, "p50": 100, "p99": 200},
            {"name": "without limit", "value": None, "unit": "ns", "limit": None, "ratio": None}])
        self.results.add([
            {"system": "isolates", "workload": "W1", "value": 100, "unit": "ns", "raw": 70,
             "ratio": 1.4, "min": 90, "max": 120, "kept": 3, "dropped": 0, "placement": "pinned",
             "version": "1", "note": "a | b"},
            {"system": "missing", "workload": "W1", "value": None, "unit": "ns", "raw": None,
             "ratio": None, "min": None, "max": None, "kept": 0, "dropped": 0,
             "placement": "pinned", "version": "1", "note": "failed"}])
        self.sections = pages.figure_sections(self.results.figures) \
            + pages.peer_sections(self.results.peers) \
            + pages.latency_sections(self.results.latencies())

    def test_html_loads_nothing_from_elsewhere(self):
        page = pages.to_html("t", "s", self.sections)
        for word in ("<script", "http:", "https:", "url(", "<link", "<img"):
            self.assertNotIn(word, page)
        self.assertIn("round &lt;trip&gt;", page)
        for section in self.sections:
            xml.etree.ElementTree.fromstring(section.to_html())

    def test_markdown_has_the_same_numbers(self):
        text = pages.to_markdown("t", "s", self.sections)
        self.assertIn("| round <trip> | 110 |", text)
        self.assertIn("a \\| b", text)

    def test_json_is_complete(self):
        document = json.loads(pages.to_json("t", "s", {"steal": 0}, True, [], self.results))
        self.assertEqual(len(document["figures"]), 2)
        self.assertEqual(document["noise"], {"steal": 0})


class ReportTest(unittest.TestCase):
    """The whole command, with programs that only print."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def program(self, name, output, status=0):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\ncat << 'END'\n%s\nEND\nexit %d\n" % (json.dumps(output), status))
        os.chmod(path, 0o755)
        return path

    def report(self, *arguments):
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "report.py")
        out = os.path.join(self.folder, "out")
        status = subprocess.run([sys.executable, script, "--out=" + out] + list(arguments),
                                check=False, stderr=subprocess.DEVNULL).returncode
        with open(os.path.join(out, "report.json"), encoding="utf-8") as file:
            document = json.load(file)
        for name in ("report.html", "report.md"):
            self.assertGreater(os.path.getsize(os.path.join(out, name)), 500)
        return status, document

    def test_it_runs_programs_and_reads_files(self):
        peers = os.path.join(self.folder, "peers.json")
        with open(peers, "w", encoding="utf-8") as file:
            json.dump([{"system": "isolates", "workload": "W6", "value": 1200, "unit": "bytes",
                        "raw": None, "ratio": None, "min": 1199, "max": 1201, "kept": 3,
                        "dropped": 0, "placement": "free", "version": "1", "note": ""}], file)
        status, document = self.report(
            "--quick", "--peers=" + peers,
            "--benchmark=" + self.program("bench", {"benchmarks": [iteration("BM_A", 10)]}),
            "--figures=" + self.program("figures", [{"name": "f", "value": 1, "unit": "ns"}]))
        self.assertEqual(status, 0)
        self.assertEqual(document["benchmarks"][0]["name"], "BM_A")
        self.assertEqual(document["figures"][0]["name"], "f")
        self.assertEqual(document["peers"][0]["value"], 1200)
        self.assertFalse(document["trusted"])  # it was quick

    def test_a_program_that_fails_spoils_the_report(self):
        status, document = self.report("--benchmark=" + self.program("bench", {}, status=3))
        self.assertEqual(status, 1)
        self.assertFalse(document["trusted"])
        self.assertIn("bench failed", document["reasons"])


if __name__ == "__main__":
    unittest.main()
