#!/usr/bin/env python3
"""Finds links that lead nowhere: to a file that is not there, or to an anchor that it has not.

Usage: links.py --markdown ROOT    all Markdown of a source tree
       links.py --site DIR         all HTML of a site

Links to other sites are not followed.
"""

import html.parser
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pages  # noqa: E402


class Report:
    """What was found, and how much was looked at."""

    def __init__(self):
        self.findings = []
        self.files = 0
        self.links = 0

    def check(self, where, base, link, anchors_of):
        """One link of a file. `anchors_of`: from a path, its anchors, or None if it has none."""
        if pages.is_external(link) or link.startswith("//"):
            return
        self.links += 1
        name, _, anchor = link.partition("#")
        name = urllib.parse.unquote(name.partition("?")[0])
        path = os.path.normpath(os.path.join(os.path.dirname(base), name)) if name else base
        if not os.path.exists(path):
            self.findings.append("%s: no such file: %s" % (where, link))
        elif anchor and anchors_of(path) is not None and \
                urllib.parse.unquote(anchor) not in anchors_of(path):
            self.findings.append("%s: no such anchor: %s" % (where, link))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def files_below(root, ending):
    """Paths of files, but those of other repositories and of what Bazel has made."""
    for where, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "bazel-")))
        for name in sorted(names):
            if name.endswith(ending):
                yield os.path.join(where, name)


# ---- Markdown ----


def markdown_anchors(path):
    if not path.endswith(".md"):
        return None
    text = read(path)
    return {anchor for _, _, _, anchor in pages.headings(text)} | set(
        re.findall(r"<\w+ (?:name|id)=\"([^\"]+)\"", text))


def markdown_links(text):
    """Yields the number of a line and a link in it, in each of Markdown's forms and in HTML's."""
    for number, match, _ in pages.links(text):
        yield number, match.group(3)
    for number, line in enumerate(pages.without_code(text).split("\n")):
        definition = re.match(r" {0,3}\[[^\]]+\]:\s+<?([^\s>]+)", line)
        if definition:
            yield number, definition.group(1)
        for link in re.findall(r"<(?:a|img)\b[^>]*?\b(?:href|src)=\"([^\"]+)\"", line):
            yield number, link


def check_markdown(root):
    """Checks all Markdown of a source tree."""
    report = Report()
    for path in files_below(root, ".md"):
        report.files += 1
        for number, link in markdown_links(read(path)):
            where = "%s:%d" % (os.path.relpath(path, root), number + 1)
            report.check(where, path, link, markdown_anchors)
    return report


# ---- HTML ----


class _Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []
        self.anchors = set()

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if not value:
                continue
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value)
            elif name in ("href", "src") or (name == "data" and tag == "object"):
                self.links.append((self.getpos()[0], value))


def check_site(root):
    """Checks all pages of a site."""
    report = Report()
    parsed = {}

    def page(path):
        if path not in parsed:
            parsed[path] = _Page()
            parsed[path].feed(read(path))
        return parsed[path]

    def anchors(path):
        return page(path).anchors if path.endswith(".html") else None

    for path in files_below(root, ".html"):
        report.files += 1
        for number, link in page(path).links:
            where = "%s:%d" % (os.path.relpath(path, root), number)
            report.check(where, path, link, anchors)
    return report


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("--markdown", "--site"):
        sys.exit(__doc__)
    check = check_markdown if sys.argv[1] == "--markdown" else check_site
    report = check(os.path.realpath(sys.argv[2]))
    for finding in report.findings:
        print(finding)
    print("%d files, %d links, %d dead" % (report.files, report.links, len(report.findings)))
    return 1 if report.findings or report.links == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
