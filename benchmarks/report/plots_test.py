"""Scales and their ticks, and where marks come to stand in the plots."""

import re
import unittest
import xml.etree.ElementTree

import plots


class ScaleTest(unittest.TestCase):

    def test_linear(self):
        scale = plots.Scale(0, 10, 100, 200)
        self.assertEqual(scale(0), 100)
        self.assertEqual(scale(5), 150)
        self.assertEqual(scale(10), 200)

    def test_upside_down(self):
        self.assertEqual(plots.Scale(0, 10, 300, 0)(2.5), 225)

    def test_logarithmic(self):
        scale = plots.Scale(1, 1000, 0, 300, log=True)
        self.assertAlmostEqual(scale(1), 0)
        self.assertAlmostEqual(scale(10), 100)
        self.assertAlmostEqual(scale(1000), 300)

    def test_what_has_no_axis_is_refused(self):
        with self.assertRaises(ValueError):
            plots.Scale(0, 10, 0, 100, log=True)
        with self.assertRaises(ValueError):
            plots.Scale(3, 3, 0, 100)

    def test_ticks_of_a_linear_axis_are_round(self):
        self.assertEqual(plots.Scale(0, 10, 0, 1).ticks(), [0, 2, 4, 6, 8, 10])
        self.assertEqual(plots.linear_ticks(0, 0.05), [0, 0.01, 0.02, 0.03, 0.04, 0.05])

    def test_ticks_of_a_logarithmic_axis(self):
        self.assertEqual(plots.Scale(1, 1000, 0, 1, log=True).ticks(), [1, 10, 100, 1000])
        self.assertEqual(plots.Scale(1, 5, 0, 1, log=True).ticks(), [1, 2, 5])
        self.assertLessEqual(len(plots.Scale(1, 1e12, 0, 1, log=True).ticks()), 8)
        for low, high in [(0.02, 5e4), (50, 500), (0.5, 2)]:
            ticks = plots.Scale(low, high, 0, 1, log=True).ticks()
            self.assertGreaterEqual(len(ticks), 2, (low, high))
            self.assertGreaterEqual(min(ticks), low * 0.999)
            self.assertLessEqual(max(ticks), high * 1.001)

    def test_a_logarithmic_axis_holds_its_values(self):
        self.assertEqual(plots.log_range([1.3, 40]), (1, 50))
        self.assertEqual(plots.log_range([1, 100]), (1, 100))
        low, high = plots.log_range([0.0061, 0.0061])
        self.assertLessEqual(low, 0.0061)
        self.assertGreaterEqual(high, 0.0061)


class FileTest(unittest.TestCase):

    def test_pictures_stand_below_each_other(self):
        picture = plots.bars([plots.Bar("one", 2), plots.Bar("two", 20)], "bars", "ns")
        root = xml.etree.ElementTree.fromstring(plots.standalone([("a", picture), ("b", picture)]))
        inner = [part for part in root if part.tag.endswith("svg")]
        self.assertEqual(len(inner), 2)
        self.assertGreaterEqual(float(inner[1].get("y")),
                                float(inner[0].get("y")) + float(inner[0].get("height")))

    def test_no_variables_are_left(self):
        self.assertNotIn("var(", plots.standalone([("a", plots.bars([plots.Bar("one", 1)], "", ""))]))


class TextTest(unittest.TestCase):

    def test_three_digits(self):
        self.assertEqual(plots.short(None), "–")
        self.assertEqual(plots.short(0), "0")
        self.assertEqual(plots.short(1.4567), "1.46")
        self.assertEqual(plots.short(0.0123), "0.0123")
        self.assertEqual(plots.short(88240), "88,240")
        self.assertEqual(plots.short(123456789), "1.23e8")
        self.assertEqual(plots.short(8736000), "8,736,000")


def rectangles(svg):
    return [dict(re.findall(r'(\w+)="([^"]*)"', match))
            for match in re.findall(r"<rect [^>]*>", svg)]


class PlotTest(unittest.TestCase):

    def test_bars_start_at_the_limit(self):
        svg = plots.bars([plots.Bar("slow", 10), plots.Bar("fast", 0.1)], "t", "ratio", base=1)
        slow, fast = rectangles(svg)
        end_of_fast = float(fast["x"]) + float(fast["width"])
        self.assertAlmostEqual(float(slow["x"]), end_of_fast, delta=0.11)
        self.assertAlmostEqual(float(slow["width"]), float(fast["width"]), delta=0.11)

    def test_linear_bars_start_at_zero_and_are_in_proportion(self):
        svg = plots.bars([plots.Bar("a", 10), plots.Bar("b", 5)], "t", "bytes", log=False)
        a, b = rectangles(svg)
        self.assertEqual(float(a["x"]), plots.LABELS)
        self.assertAlmostEqual(float(a["width"]), 2 * float(b["width"]), delta=0.11)

    def test_each_further_nine_is_as_far_as_the_one_before(self):
        scale = plots.Scale(plots.percentile_place(90), plots.percentile_place(99.99), 0, 300, True)
        self.assertAlmostEqual(scale(plots.percentile_place(99)), 100, places=6)
        self.assertAlmostEqual(scale(plots.percentile_place(99.9)), 200, places=6)

    def test_percentiles_name_the_maximum(self):
        svg = plots.percentiles([("one", {50.0: 100, 99.0: 200, 100.0: 900})], "t", "ns")
        self.assertIn(">max<", svg)
        self.assertIn(">99 %<", svg)

    def test_plots_are_well_formed_whatever_they_show(self):
        name = 'a < b & "c"'
        for svg in [
                plots.bars([plots.Bar(name, 3)], name, name),
                plots.bars([plots.Bar(name, 3, 2, 4, mark=5)], name, name, base=1),
                plots.bars([plots.Bar(name, 1)], name, name, base=1),
                plots.curves([plots.Curve(name, [(1, 2)])], name, name, name),
                plots.curves([plots.Curve(name, [(1, 2), (8, 2)])] * 8, name, name, name,
                             x_log=True, y_log=True)]:
            xml.etree.ElementTree.fromstring(svg)
            self.assertNotIn("nan", svg)


if __name__ == "__main__":
    unittest.main()
