"""What Doxygen reads of a Markdown page: every heading with an anchor, and links that it resolves.

A page of the repository links to files, and to headings by GitHub's rule. On the site, pages and
headings have names, and files that are no page are shown as text below files/.
"""

import os
import posixpath
import re

INDEX = "docs/guide/index.md"
_FENCE = re.compile(r"^\s*(```|~~~)")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip())
    text = re.sub(r"[`*]", "", text).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def headings(text):
    """Yields the line number, the level, the text and the anchor of each heading."""
    seen = {}
    fenced = False
    for number, line in enumerate(text.split("\n")):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        found = None if fenced else re.match(r"(#{1,6}) +(.*?)\s*#*$", line)
        if not found:
            continue
        anchor = slug(found.group(2))
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        if count:
            anchor += "-%d" % count
        yield number, len(found.group(1)), found.group(2), anchor


def is_page(path):
    """True for the documents that are pages of the site."""
    return path.endswith(".md") and posixpath.dirname(path) in ("docs", "docs/guide")


def page_name(path):
    """The name of a page, and of its HTML file."""
    if path == INDEX:
        return "mainpage"
    return "page_" + re.sub(r"\W", "_", path[len("docs/"):-len(".md")])


def anchor_name(path, anchor):
    return page_name(path) + "_" + re.sub(r"\W", "_", anchor)


def shown_name(path):
    """Where a file of the repository that is no page is shown on the site."""
    return "files/" + path + ".html"


def target_of(path, link):
    """The file in the repository that a relative link in a file leads to, and the anchor."""
    name, _, anchor = link.partition("#")
    if not name:
        return path, anchor
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name)), anchor


def links(text):
    """Yields each (line number, match of a link) outside of code."""
    fenced = False
    for number, line in enumerate(text.split("\n")):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            spans = [m.span() for m in re.finditer(r"`[^`]*`", line)]
            for match in _LINK.finditer(line):
                if not any(a <= match.start() < b for a, b in spans):
                    yield number, match


def is_external(link):
    return bool(re.match(r"[a-z][a-z0-9+.-]*:", link))


def shown_files(path, text):
    """The files of the repository that a page links to and that are no pages."""
    for _, match in links(text):
        if match.group(1) or is_external(match.group(3)):
            continue
        target, _ = target_of(path, match.group(3))
        if not is_page(target) and os.path.isfile(target):
            yield target


class _Page:
    def __init__(self, path):
        self.path = path
        self.subpages = set()

    def link(self, match):
        bang, words, link = match.groups()
        if bang:
            return "![%s](%s)" % (words, posixpath.basename(link))
        if is_external(link):
            return match.group()
        target, anchor = target_of(self.path, link)
        if not is_page(target):
            if os.path.isfile(target):
                return "[%s](%s)" % (words, shown_name(target))
            return words  # a folder
        if anchor:
            return "[%s](@ref %s)" % (words, anchor_name(target, anchor))
        if self.path == INDEX and target != INDEX and target not in self.subpages:
            self.subpages.add(target)
            return '@subpage %s "%s"' % (page_name(target), words)
        return "[%s](@ref %s)" % (words, page_name(target))


def convert(path, text):
    """What Doxygen reads of a page."""
    page = _Page(path)
    lines = text.split("\n")
    fenced = {}
    inside = False
    for number, line in enumerate(lines):
        fence = bool(_FENCE.match(line))
        fenced[number] = inside or fence
        inside ^= fence
    anchors = {number: (level, words, anchor) for number, level, words, anchor in headings(text)}
    result = []
    for number, line in enumerate(lines):
        if fenced[number]:
            result.append(line)
        elif number in anchors:
            level, words, anchor = anchors[number]
            name = page_name(path) if level == 1 else anchor_name(path, anchor)
            result.append("%s %s {#%s}" % ("#" * level, words, name))
        elif re.match(r"<!-- [^ ]+ -->$", line):
            result.append("")
        else:
            result.append(_LINK.sub(page.link, line))
    return "\n".join(result)
