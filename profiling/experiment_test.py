"""What the experiments reckon with: callgrind's files, several runs to one, simulated caches."""

import unittest

import experiment
import port_traffic
import run_stages


class CallgrindTest(unittest.TestCase):

    def test_costs_of_callees_are_not_ones_own(self):
        lines = ["fl=a", "fn=first", "10 3", "+1 4", "cfn=second", "calls=2 20", "11 100",
                 "fn=second", "20 5", "", "totals: 12"]
        self.assertEqual(experiment.own_costs(lines), {"first": 7, "second": 5})

    def test_groups(self):
        groups = run_stages.grouped({"mi_malloc": 10, "isolates::internal::Launch(int)": 3,
                                     "free": 30, "nobody": 1})
        self.assertEqual([(g, n) for g, n, _ in groups],
                         [("heap and allocation", 40), ("launch", 3), ("others", 1)])
        self.assertEqual(groups[0][2], ["`free`", "`mi_malloc`"])

    def test_short_names(self):
        self.assertEqual(run_stages.short_name(
            "isolates::internal::(anonymous namespace)::Birth::Birth(std::vector<int> const&)"),
            "`Birth::Birth`")


class MedianTest(unittest.TestCase):

    def test_of_several_runs(self):
        runs = [[{"name": "a", "value": v, "kept": 1}] for v in (3, 1, None, 2)]
        (row,) = experiment.median_of(runs)
        self.assertEqual((row["value"], row["min"], row["max"], row["kept"]), (2, 1, 3, 3))


class LinesTest(unittest.TestCase):

    def test_one_line_in_one_direction(self):
        lines = port_traffic.Lines()
        for _ in range(10):
            lines.write(7, 1)
            lines.read(7, 2)
        self.assertEqual((lines.reads[7], lines.writes[7]), (10, 9))

    def test_ones_own_lines_do_not_move(self):
        lines = port_traffic.Lines()
        for _ in range(10):
            lines.write(7, 1)
            lines.read(7, 1)
            lines.read(8, 2)
            lines.read(8, 1)
        self.assertEqual((sum(lines.reads.values()), sum(lines.writes.values())), (1, 0))

    def test_a_trace(self):
        def turn(number):
            at = "%x,8" % (0x1000 + 64 * number)
            # Near sends, far receives, far sends, near receives.
            return [mark, " S " + at, mark, mark, " L " + at, mark,
                    mark, mark, mark, mark]
        mark = " S 00100,8"
        trace = [line for number in range(port_traffic.WARM) for line in turn(number)]
        trace += [mark] + turn(port_traffic.WARM) + turn(port_traffic.WARM)
        lines = port_traffic.follow(trace, 0x100)
        self.assertEqual((sum(lines.reads.values()), sum(lines.writes.values())), (2, 1))

    def test_an_access_over_two_lines(self):
        lines = port_traffic.follow([" S 00100,8", " S 0103c,8", " S 00100,8", " S 00100,8",
                                     " L 0103c,8"], 0x100)
        self.assertEqual(sum(lines.reads.values()), 2)


if __name__ == "__main__":
    unittest.main()
