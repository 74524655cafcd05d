"""Dead links, planted and found; and links of all forms that are alive."""

import os
import tempfile
import unittest

import links
import pages


class Tree(unittest.TestCase):
    """A folder of files to be checked."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, path, text):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


class MarkdownTest(Tree):
    def check(self, text):
        self.write("docs/page.md", text)
        self.write("docs/other.md", "# Other\n\n## Two Words: `Get()`, & more\n\n## Twice\n\n"
                   "## Twice\n\n<a id=\"by-hand\"></a>\n")
        self.write("src/file.cc", "")
        return links.check_markdown(self.folder.name)

    def test_links_that_are_alive(self):
        report = self.check(
            "# Page\n[a](other.md) [b](other.md#two-words-get--more) [c](../src/file.cc)\n"
            "[d](#page) [e](other.md#twice-1) [f](../src) [g](other.md#by-hand)\n"
            "![h](other.md) [`i`](other.md) <a href=\"other.md\">j</a>\n[k]: other.md\n"
            "[l](https://example.org/nowhere)\n")
        self.assertEqual(report.findings, [])
        self.assertEqual(report.links, 11)

    def test_a_planted_dead_file(self):
        for text in ("[a](gone.md)", "![a](gone.svg)", "[`a` b](gone.md#x)",
                     "<img src=\"gone.svg\">", "[a]: gone.md", "| [a](gone.md) |",
                     "[a\nb](gone.md)"):
            with self.subTest(text):
                report = self.check("# Page\n\n" + text + "\n")
                self.assertEqual(len(report.findings), 1, report.findings)
                self.assertIn("docs/page.md:3: no such file: gone", report.findings[0])

    def test_a_planted_dead_anchor(self):
        for text in ("[a](#gone)", "[a](other.md#gone)", "[a](other.md#twice-2)",
                     "[a](other.md#Twice)"):
            with self.subTest(text):
                report = self.check("# Page\n\n" + text + "\n")
                self.assertEqual(len(report.findings), 1, report.findings)
                self.assertIn("docs/page.md:3: no such anchor", report.findings[0])

    def test_code_has_no_links(self):
        report = self.check("`[a](gone.md)`\n```cpp\n[](gone.md)\n```\n[b](other.md)\n")
        self.assertEqual(report.findings, [])
        self.assertEqual(report.links, 1)

    def test_what_bazel_made_is_not_looked_at(self):
        self.write("bazel-out/page.md", "[a](gone.md)\n")
        self.assertEqual(self.check("[a](other.md)\n").findings, [])


class SiteTest(Tree):
    def check(self, body):
        self.write("index.html", "<html><body id=\"top\">%s</body></html>" % body)
        self.write("files/other.html", "<a name=\"old\"></a><h2 id=\"new\">Title</h2>")
        self.write("picture.svg", "<svg/>")
        return links.check_site(self.folder.name).findings

    def test_links_that_are_alive(self):
        self.assertEqual([], self.check(
            '<a href="files/other.html#old">a</a> <a href="files/other.html#new">b</a>'
            '<a href="#top">c</a> <img src="picture.svg"> <object data="picture.svg"></object>'
            '<a href="https://example.org/">d</a> <a href="javascript:void(0)">e</a>'))

    def test_planted_dead_links(self):
        for body, what in (('<a href="gone.html">a</a>', "no such file: gone.html"),
                           ('<a href="files/other.html#gone">a</a>', "no such anchor"),
                           ('<a href="#gone">a</a>', "no such anchor: #gone"),
                           ('<img src="gone.svg">', "no such file: gone.svg"),
                           ('<object data="gone.svg"></object>', "no such file: gone.svg")):
            with self.subTest(body):
                findings = self.check(body)
                self.assertEqual(len(findings), 1, findings)
                self.assertIn(what, findings[0])


class PagesTest(unittest.TestCase):
    def test_headings_and_links_become_those_of_the_site(self):
        text = pages.convert("docs/guide/a.md",
                             "# Title\n[x](b.md) [y](../c.md#two-words) [z](#here)\n## Here\n"
                             "```cpp\n# not a heading [x](b.md)\n```\n![p](pictures/p.svg)\n")
        self.assertEqual(text, "# Title {#page_guide_a}\n"
                         "[x](@ref page_guide_b) [y](@ref page_c_two_words) "
                         "[z](@ref page_guide_a_here)\n## Here {#page_guide_a_here}\n"
                         "```cpp\n# not a heading [x](b.md)\n```\n![p](p.svg)\n")


if __name__ == "__main__":
    unittest.main()
