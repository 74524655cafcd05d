#!/usr/bin/env python3
"""Builds the site, the guide and the reference of the public headers, and checks its links.

Usage: build.py --out=DIR

The site is DIR/index.html; what was in DIR before is replaced. A warning of Doxygen is an error.
"""

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import headers  # noqa: E402
import links  # noqa: E402
import pages  # noqa: E402

MARK = "isolates.site"  # is in each folder that this program has written


def markdown_pages():
    """The pages of the site, in the order of the index, and those that it does not name."""
    with open(pages.INDEX, encoding="utf-8") as file:
        named = list(dict.fromkeys([pages.INDEX, *pages.linked_pages(pages.INDEX, file.read())]))
    there = [folder + "/" + name for folder in ("docs", "docs/guide")
             for name in sorted(os.listdir(folder)) if pages.is_page(folder + "/" + name)]
    return named, [path for path in there if path not in named]


def undocumented():
    """Types of the public headers without a comment: Doxygen does not tell all of them."""
    for folder in ("include/isolates/", "include/isolates/detail/"):
        for name in sorted(os.listdir(folder)):
            if name.endswith(".h"):
                with open(folder + name, encoding="utf-8") as file:
                    for number, text in headers.undocumented(file.read()):
                        yield "%s%s:%d: no comment: %s" % (folder, name, number, text)


def run_doxygen(out, named):
    """Writes the site. Returns the warnings, in terms of the files of the repository."""
    with open("docs/Doxyfile", encoding="utf-8") as file:
        settings = file.read()
    settings += "\nINPUT += %s\nOUTPUT_DIRECTORY = \"%s\"\n" % (" ".join(named), out)
    done = subprocess.run(["doxygen", "-"], input=settings, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    warnings = []
    for line in done.stdout.splitlines():
        found = re.match(r"(\S+\.h):(\d+): (.*)", line)
        if found:
            path = os.path.relpath(found.group(1), ROOT)
            with open(path, encoding="utf-8") as file:
                number = headers.origin(file.read(), int(found.group(2)))
            line = "%s:%d: %s" % (path, number, found.group(3))
        warnings.append(line)
    if done.returncode != 0:
        warnings.append("doxygen ended with status %d" % done.returncode)
    return warnings


def show_files(out, named):
    """Files of the repository that pages link to, as text."""
    shown = set()
    for path in named:
        with open(path, encoding="utf-8") as file:
            shown.update(pages.shown_files(path, file.read()))
    for path in sorted(shown):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        target = os.path.join(out, pages.shown_name(path))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
                       '<title>%s</title></head>\n<body><pre>%s</pre></body></html>\n'
                       % (html.escape(path), html.escape(text)))


def replace(built, out):
    """Puts the new site in the place of the old one, and of nothing else."""
    if os.path.isdir(out) and os.listdir(out) and not os.path.exists(os.path.join(out, MARK)):
        sys.exit("site: %s holds something else; give an empty or a new folder" % out)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(built, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder of the site")
    out = os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()),
                       parser.parse_args().out)
    os.chdir(ROOT)
    if shutil.which("doxygen") is None:
        sys.exit("site: Doxygen is missing; install it with: bazel/bazelw --install docs")
    named, forgotten = markdown_pages()
    with tempfile.TemporaryDirectory() as built:
        errors = ["%s is not in the index" % path for path in forgotten]
        errors += run_doxygen(built, named)
        errors += undocumented()
        show_files(built, named)
        with open(os.path.join(built, MARK), "w", encoding="utf-8") as file:
            file.write("written by docs/site/build.py\n")
        dead = links.check_site(built)
        errors += dead.findings
        replace(built, out)
    print("\n".join(errors + ["%s/index.html: %d pages, %d links, %d errors"
                              % (out, dead.files, dead.links, len(errors))]))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
