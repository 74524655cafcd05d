"""What Doxygen reads of a header: its plain comments made Doxygen's, and only what is public.

The headers have ordinary comments: one before a declaration, or behind it on the same line. Doxygen
wants marks, so this gives it a copy with them. Left out are what no user names (namespace internal,
friends, specializations of traits) and special members that have nothing to tell. Overloads that
follow each other line by line share the comment of the first.
"""

import re

_OPENERS = re.compile(r"^(?:inline\s+)?namespace\b|^enum\b|^(?:class|struct|union)\b")
_LABEL = re.compile(r"(public|protected|private)\s*:$")
_SPECIAL = re.compile(r"^(?:constexpr |explicit |inline |virtual )*"
                      r"(?:~\w+\(\)|(\w+)\((?:const )?\1(?:<[^()]*>)?\s*&&?\s*\w*\)|"
                      r"\w+(?:<[^()]*>)?\s*& operator=\([^()]*\))")
_DOCUMENTED_BY_NAME = {
    "using IsolatesUnsendable": "Marks the class: the compiler refuses it in messages.",
    "static constexpr std::string_view kIsolatesRemedy": "What the compiler says to do instead.",
}


def blank_comments(text):
    """Spaces for comments, and for the contents of literals; the length stays."""
    def blank(match):
        found = match.group()
        if found[0] in "\"'":
            return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|(?<![\w])'(?:\\.|[^'\\\n])+'",
                  blank, text, flags=re.DOTALL)


def skip_brackets(text, start, pair):
    """The index behind the bracket that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == pair[0]:
            depth += 1
        elif text[i] == pair[1] and text[i - 1] not in "-=":
            depth -= 1
            if depth == 0:
                return i + 1
    return len(text)


def without_template(statement):
    """A declaration without its template parameters, requirements and attributes."""
    text = " ".join(statement.split())
    while text.startswith("template"):
        text = text[skip_brackets(text, text.index("<"), "<>"):].lstrip()
    while text.startswith("requires"):
        rest = text[len("requires"):].lstrip()
        if rest.startswith("("):
            text = rest[skip_brackets(rest, 0, "()"):].lstrip()
        else:  # a concept, with its arguments
            name = re.match(r"[\w:]+", rest)
            rest = rest[name.end():]
            text = (rest[skip_brackets(rest, 0, "<>"):] if rest.startswith("<") else rest).lstrip()
        if text.startswith(("&&", "||")):
            text = "requires " + text[2:].lstrip()
    return re.sub(r"\[\[[^\]]*\]\]\s*", "", text)


def name_of(declaration):
    """The name that a declaration declares, or an empty text."""
    if declaration.startswith("using ") and "=" in declaration:
        return declaration.split()[1]
    found = re.search(r"(operator\s*(?:\(\)|[^\s(]+(?:\s+\w+)?)|~?\w+)\s*\(", declaration)
    return found.group(1) if found else ""


def said_by_name(declaration, name):
    """The documentation of an accessor or alias whose name says all, or None."""
    if re.search(r"\b%s\(\) const\b" % re.escape(name), declaration) and re.match("[a-z_]+$", name):
        words = name.replace("_", " ")
        if re.search(r"\bbool %s\(" % name, declaration):
            return ["Whether it %s%s." % ("" if words.startswith("is ") else "is ", words)]
        return ["The %s." % words]
    if name in ("operator*", "operator->"):
        return ["The value."]
    if name == "operator bool":
        return ["False if this is empty: moved from, or never set."]
    if re.match(r"using (Value|Message) = ", declaration):
        return ["The type of the %s." % name.lower()]
    return None


class Statement:
    """A declaration: its lines, and where it stands."""

    def __init__(self, begin, scope, access):
        self.begin, self.end = begin, begin
        self.scope = scope      # kind of the scope it stands in: "namespace", "class", "enum"
        self.access = access
        self.text = ""          # up to its body
        self.body = None        # kind of the scope that it opens
        self.internal = False   # in a namespace internal, or is one


def statements(code):
    """The declarations of a header whose comments are blank, but those in bodies of functions."""
    found = []
    stack = [("namespace", "public", False)]
    opened = []       # the statement of each scope
    current = None
    line = 0
    pending = ""
    for i, char in enumerate(code):
        if char == "\n":
            line += 1
        kind, access, internal = stack[-1]
        if kind == "body":
            if char == "{":
                stack.append(("body", access, internal))
                opened.append(None)
            elif char == "}":
                stack.pop()
                statement = opened.pop()
                if statement is not None:
                    statement.end = line
                    # An initializer goes on; a function has ended.
                    if re.match(r" *[^\s}]", code[i + 1:i + 100]):
                        current, pending = statement, statement.text + " {}"
            continue
        if code.startswith("#", i) and not pending.strip():
            pending = "#"
        if pending.startswith("#"):
            if char == "\n" and code[i - 1] != "\\":
                pending = ""
            continue
        if not pending.strip() and char in "};" and current is None:
            if char == "}" and len(stack) > 1:
                stack.pop()
                closed = opened.pop()
                if closed is not None:
                    closed.end = line
            continue
        if current is None and not char.isspace():
            current = Statement(line, kind, access)
            current.internal = internal
            found.append(current)
        if char in "{};" and pending.count("(") > pending.count(")"):
            pending += char  # an argument: f(T a = {}), or a closure
        elif char == "{":
            declaration = without_template(pending)
            opener = _OPENERS.match(declaration)
            if opener and not re.search(r"\)\s*$", declaration):
                word = opener.group().split()[-1]
                body = {"namespace": "namespace", "enum": "enum"}.get(word, "class")
            else:
                body = "body"
            current.text, current.body = pending.strip(), current.body or body
            inner = internal or (body == "namespace" and "internal" in declaration.split()[-1])
            current.internal = inner
            default = "private" if declaration.startswith("class") else "public"
            stack.append((body, default if body == "class" else access, inner))
            opened.append(current)
            current, pending = None, ""
        elif char == ";" or (kind == "enum" and char == ","):
            if current is not None:
                current.text, current.end = pending.strip(), line
            current, pending = None, ""
        elif char == "}":  # the last of an enumeration has no comma
            if current is not None:
                current.text, current.end = pending.strip(), line
            current, pending = None, ""
            stack.pop()
            closed = opened.pop()
            if closed is not None:
                closed.end = line
        else:
            pending += char
            label = _LABEL.match(pending.strip()) if kind == "class" and char == ":" else None
            if label:
                stack[-1] = (kind, label.group(1), internal)
                found.pop()
                current, pending = None, ""
    return found


def escape(text):
    """Plain words for Doxygen: nothing in them is a command, a tag or a mark; code stays."""
    parts = re.split(r"(`[^`]*`)", text)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\@<>#&%*|])", r"\\\1", parts[i])
        parts[i] = parts[i].replace("--", "\\--")
    return "".join(parts)


def markup(lines):
    """The lines of a comment, without slashes, as Doxygen's text."""
    result, block, listed = [], [], None

    def flush():
        if block:
            code = any(c in line for line in block for c in ";{}()=")
            result.append("@code{.cpp}" if code else "@verbatim")
            result.extend(block)
            result.append("@endcode" if code else "@endverbatim")
            block.clear()

    for line in lines:
        indent = len(line) - len(line.lstrip())
        item = re.match(r"\s*(- |[A-Z]?\d+\. )", line)
        if not line.strip():
            flush()
            listed = None
            result.append("")
        elif item:
            flush()
            listed = indent
            if result and result[-1] and not result[-1].startswith("- "):
                result.append("")
            result.append("- " + escape(line.strip()[2 if item.group(1) == "- " else 0:]))
        elif listed is not None and indent > listed:
            result.append("  " + escape(line.strip()))
        elif indent >= 2 or re.search(r"\S {3,}\S", line):
            block.append(line)
        else:
            flush()
            if listed is not None:
                listed = None
                result.append("")
            result.append(escape(line))
    flush()
    return result


class Header:
    """One header on its way to Doxygen."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.code = blank_comments(text).split("\n")
        self.statements = statements("\n".join(self.code))
        self.before = {}                # line -> documentation that goes before it
        self.hidden = set()             # lines
        self.undocumented = []          # types
        self.comment_at = {}            # line behind a block of comments -> its first line
        first = None
        for number, line in enumerate(self.lines):
            if line.lstrip().startswith("//"):
                first = number if first is None else first
            else:
                if first is not None:
                    self.comment_at[number] = first
                first = None

    def comment(self, statement):
        """The documentation of a declaration, or None."""
        begin = self.comment_at.get(statement.begin)
        if begin is not None and not self.continues(begin):
            lines = [l.lstrip()[2:] for l in self.lines[begin:statement.begin]]
            return markup([l[1:] if l.startswith(" ") else l for l in lines])
        lines = []
        for number in (statement.end, statement.begin):
            tail = self.tail(number)
            if not tail:
                continue
            column, text = tail
            lines.append(text)
            while (number + 1 < len(self.lines)
                   and re.match(r" {%d}// ?" % column, self.lines[number + 1])):
                number += 1
                lines.append(self.lines[number].strip()[2:].strip())
            break
        return markup(lines) if lines else None

    def tail(self, number):
        """Column and text of a comment behind code; nothing of those that are for tools."""
        code = self.code[number].rstrip()
        line = self.lines[number]
        at = line.find("//", len(code)) if code else -1
        if at < 0 or line[at:].startswith(("// NOLINT", "// namespace")):
            return None
        return at, line[at + 2:].strip()

    def continues(self, begin):
        """A block that goes on with a comment behind code of the line before."""
        tail = self.tail(begin - 1) if begin > 0 else None
        return tail is not None and tail[0] == len(self.lines[begin]) - len(
            self.lines[begin].lstrip())

    def head(self):
        """The comment at the head of the file."""
        for number, line in enumerate(self.lines):
            if line.startswith("//"):
                end = number
                while self.lines[end].startswith("//"):
                    end += 1
                return markup([l[3:] for l in self.lines[number:end]])
            if line and not line.startswith("#"):
                break
        return []

    def hide(self, statement):
        self.hidden.update(range(statement.begin, statement.end + 1))

    def is_hidden(self, statement, declaration, documented):
        if statement.internal:
            return True
        if declaration.startswith(("friend class", "friend struct", "static_assert")) or \
                re.match(r"friend (class )?\w+(<[^()]*>)?$", declaration):
            return True
        if re.match(r"(class|struct|enum class|extern)\b", declaration) and statement.body is None:
            return True
        if statement.scope == "class" and statement.access != "public":
            return True
        if re.match(r"(class|struct) (std::hash|TransferTraits)<", declaration):
            return True
        if re.match(r"(class|struct|using) promise_type", declaration):
            return True
        if documented:
            return False
        if _SPECIAL.match(declaration) or re.match(r"(class|struct) \w+<", declaration):
            return True
        # Definitions outside of their class, and deduction guides.
        before = declaration.split("(")[0]
        return bool(re.search(r"[\w>]::~?\w+$", before) or
                    re.match(r"\w+\([^)]*\) -> ", declaration))

    def convert(self):
        head = self.head()
        named = re.match(r"(\w+)(?:<[^>]*>|\\<.*?\\>)?[:,]", head[0]) if head else None
        last = None     # name, last line and documentation of the declaration before
        for statement in self.statements:
            declaration = without_template(statement.text)
            doc = self.comment(statement)
            if statement.body == "namespace":
                if statement.internal:
                    self.hide(statement)
                continue
            if self.is_hidden(statement, declaration, doc is not None):
                self.hide(statement)
                continue
            name = name_of(declaration)
            if doc is None and last and last[0] and name in (last[0], "set_" + last[0]) and \
                    last[1] + 1 == statement.begin:
                doc = last[2]
            if doc is None and named and re.match(
                    r"(?:class|struct) %s\b" % named.group(1), declaration):
                doc = head
            if doc is None:
                doc = next(([text] for start, text in _DOCUMENTED_BY_NAME.items()
                            if declaration.startswith(start)), None)
            if doc is None and statement.scope == "class":
                doc = said_by_name(declaration, name)
            if doc is not None:
                self.before[statement.begin] = doc
            elif statement.body in ("class", "enum") and statement.begin not in self.hidden:
                self.undocumented.append((statement.begin + 1, declaration))
            last = (name, statement.end, doc)
        return list(self.pairs(head))

    def pairs(self, head):
        """The lines that Doxygen reads, each with the number of the line that it comes from."""
        for line in ["@file"] + head:
            yield 0, ("/// " + line).rstrip()
        for number, line in enumerate(self.lines):
            if number in self.hidden:
                continue
            indent = re.match(r" *", line).group()
            for doc in self.before.get(number, []):
                yield number, (indent + "/// " + doc).rstrip()
            code = line[:len(self.code[number].rstrip())]
            if code or not line:
                yield number, code


def convert(text):
    """What Doxygen reads of a header."""
    return "\n".join(line for _, line in Header(text).convert())


def origin(text, line):
    """The line of the header, from 1, that a line of what Doxygen reads comes from."""
    numbers = [number for number, _ in Header(text).convert()]
    return numbers[min(line, len(numbers)) - 1] + 1


def undocumented(text):
    """The line, from 1, and the text of each public type of a header without a comment."""
    header = Header(text)
    header.convert()
    return header.undocumented
