"""What Doxygen reads of a Markdown page: every heading with an anchor, and links that it resolves.

A page of the repository links to files, and to headings by GitHub's rule. On the site, pages and
headings have names, and files that are no page are shown as text below files/.
"""

import os
import posixpath
import re

INDEX = "docs/guide/index.md"
_FENCE = re.compile(r"^\s*(```|~~~)")
# An exclamation mark for pictures, words, perhaps over two lines, and where it leads.
_LINK = re.compile(r"(!?)\[((?:[^\[\]\n]|\n(?!\n)|\[[^\]\n]*\])*)\]\(([^()\s]+)\)")


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


def without_code(text):
    """Spaces for blocks and spans of code; the length and the lines stay."""
    lines = text.split("\n")
    fenced = False
    for number, line in enumerate(lines):
        fence = bool(_FENCE.match(line))
        if fenced or fence:
            lines[number] = " " * len(line)
        fenced ^= fence
    return re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group()), "\n".join(lines))


def links(text):
    """Yields the number of the line of each link, its match, and its words."""
    for match in _LINK.finditer(without_code(text)):
        yield text.count("\n", 0, match.start()), match, text[match.start(2):match.end(2)]


def is_external(link):
    return bool(re.match(r"[a-z][a-z0-9+.-]*:", link))


def linked_pages(path, text):
    """The pages that a page links to, in the order of their links."""
    for _, match, _ in links(text):
        target, _ = target_of(path, match.group(3))
        if not is_external(match.group(3)) and is_page(target):
            yield target


def shown_files(path, text):
    """The files of the repository that a page links to and that are no pages."""
    for _, match, _ in links(text):
        if match.group(1) or is_external(match.group(3)):
            continue
        target, _ = target_of(path, match.group(3))
        if not is_page(target) and os.path.isfile(target):
            yield target


def site_link(path, bang, words, link):
    """A link of a page, as one of the site."""
    if bang:
        return "![%s](%s)" % (words, posixpath.basename(link))
    if is_external(link):
        return "[%s](%s)" % (words, link)
    target, anchor = target_of(path, link)
    if is_page(target):
        name = anchor_name(target, anchor) if anchor else page_name(target)
        return "[%s](@ref %s)" % (words, name)
    if os.path.isfile(target):
        return "[%s](%s)" % (words, shown_name(target))
    return words  # a folder


def convert(path, text):
    """What Doxygen reads of a page."""
    parts, end = [], 0
    for _, match, words in links(text):
        # On one line, because Doxygen ends words there.
        parts += [text[end:match.start()],
                  site_link(path, match.group(1), " ".join(words.split()), match.group(3))]
        end = match.end()
    text = "".join(parts) + text[end:]
    lines = text.split("\n")
    for number, level, words, anchor in headings(text):
        name = page_name(path) if level == 1 else anchor_name(path, anchor)
        lines[number] = "%s %s {#%s}" % ("#" * level, words, name)
    return re.sub(r"^<!-- [^ ]+ -->$", "", "\n".join(lines), flags=re.MULTILINE)
