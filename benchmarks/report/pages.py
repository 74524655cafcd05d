"""The report as a page (HTML), as Markdown and as JSON, from one list of sections."""

import html
import json

import plots
from plots import short

STYLE = """
:root { color-scheme: light dark; %s }
@media (prefers-color-scheme: dark) { :root { %s } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, "Segoe UI", "Liberation Sans", sans-serif; }
main { max-width: 900px; margin: 0 auto; padding: 32px 20px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 21px; margin: 48px 0 8px; border-top: 1px solid var(--rule); padding-top: 20px; }
h3 { font-size: 16px; margin: 28px 0 6px; }
p { margin: 8px 0; max-width: 70ch; }
.muted, figcaption { color: var(--muted); font-size: 14px; }
.verdict { border-left: 4px solid; padding: 12px 18px; background: var(--panel); margin: 20px 0; }
.verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
.verdict strong { display: block; font-size: 18px; }
.verdict ul { margin: 6px 0 0; padding-left: 20px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; margin: 12px 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
th { color: var(--muted); font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
tr.ours td { font-weight: 600; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--muted); font-size: 14px; }
figure { margin: 14px 0; overflow-x: auto; }
svg { display: block; width: 100%%; min-width: 640px; height: auto; }
""" % (plots.variables(plots.LIGHT), plots.variables(plots.DARK)) + plots.STYLE


class Table:
    """columns: [(title, whether a number)]; rows: [[text]]; ours: indices of rows in bold."""

    def __init__(self, columns, rows, ours=(), folded=None):
        self.columns, self.rows, self.ours, self.folded = columns, rows, set(ours), folded

    def to_html(self):
        head = "".join('<th%s>%s</th>' % (' class="number"' if number else "", html.escape(title))
                       for title, number in self.columns)
        body = "".join(
            "<tr%s>%s</tr>" % (' class="ours"' if i in self.ours else "", "".join(
                '<td%s>%s</td>' % (' class="number"' if number else "", html.escape(cell))
                for (_, number), cell in zip(self.columns, row)))
            for i, row in enumerate(self.rows))
        table = '<div class="wide"><table><tr>%s</tr>%s</table></div>' % (head, body)
        if self.folded:
            return "<details><summary>%s</summary>%s</details>" % (html.escape(self.folded), table)
        return table

    def to_markdown(self):
        def cells(row):
            return "| %s |" % " | ".join(cell.replace("|", "\\|") for cell in row)
        rule = "|%s|" % "|".join("---:" if number else "---" for _, number in self.columns)
        return "\n".join([cells([title for title, _ in self.columns]), rule]
                         + [cells(row) for row in self.rows]) + "\n"


class Plot:
    """An SVG; in Markdown its table says the same."""

    def __init__(self, svg, caption=""):
        self.svg, self.caption = svg, caption

    def to_html(self):
        caption = "<figcaption>%s</figcaption>" % html.escape(self.caption) if self.caption else ""
        return "<figure>%s%s</figure>" % (self.svg, caption)

    def to_markdown(self):
        return ""


class Text:

    def __init__(self, text):
        self.text = text

    def to_html(self):
        return "<p>%s</p>" % html.escape(self.text)

    def to_markdown(self):
        return self.text + "\n"


class Heading:

    def __init__(self, text, level=2):
        self.text, self.level = text, level

    def to_html(self):
        return "<h%d>%s</h%d>" % (self.level, html.escape(self.text), self.level)

    def to_markdown(self):
        return "%s %s\n" % ("#" * self.level, self.text)


class Verdict:

    def __init__(self, trusted, against, remarks):
        self.trusted, self.against, self.remarks = trusted, against, remarks
        self.text = "This run can be trusted." if trusted else "This run is not to be trusted."

    def to_html(self):
        return '<div class="verdict %s"><strong>%s</strong><ul>%s</ul></div>' % (
            "good" if self.trusted else "bad", self.text,
            "".join("<li>%s</li>" % html.escape(t) for t in self.against + self.remarks))

    def to_markdown(self):
        return "**%s**\n\n%s" % (self.text,
                                 "".join("- %s\n" % t for t in self.against + self.remarks))


def percent(part):
    return "%.2f %%" % (100 * part)


def noise_sections(facts, kept, dropped, trusted, against, remarks):
    def of(value, form="%s"):
        return "not told here" if value is None else form % value
    mhz = "not told here" if facts["mhz_min"] is None else "%.0f to %.0f MHz" % (
        facts["mhz_min"], facts["mhz_max"])
    rows = [
        ["processor", facts["cpu"]],
        ["processors that the run could use", str(facts["processors"])],
        ["virtual machine", "yes" if facts["virtual"] else "no"],
        ["kernel", facts["kernel"]],
        ["governor", of(facts["governor"])],
        ["frequency", mhz],
        ["duration", "%.0f s, %.0f s of processor time" % (facts["seconds"],
                                                          facts["processor_seconds"])],
        ["load average, before and after", "%.2f, %.2f" % (facts["load_before"],
                                                          facts["load_after"])],
        ["steal", percent(facts["steal"])],
        ["processor time of others", percent(facts["others"])],
        ["context switches of the machine", "%d" % facts["context_switches_of_machine"]],
        ["of the run: waits, preemptions", "%d, %d" % (facts["waits"], facts["preemptions"])],
        ["migrations", of(facts["migrations"], "%d (of threads that lived half a second or more)")],
        ["repetitions kept, dropped", "%d, %d" % (kept, dropped)],
    ]
    return [Verdict(trusted, against, remarks), Heading("Noise certificate"),
            Table([("", False), ("", False)], rows)]


def figure_sections(rows):
    if not rows:
        return []
    sections = [Heading("Figures and their limits"),
                Text("Each figure as a ratio to its limit on this machine, taken in the same "
                     "interleaved run. The bar starts at the limit (1); the thick mark is what the "
                     "figure has to reach.")]
    bars = []
    for row in rows:
        ratio = row.get("ratio")
        if not ratio or ratio <= 0:
            continue
        reached = row.get("reached")
        kind = "other" if reached is None else "good" if reached else "bad"
        shown = short(ratio) + ("" if reached is None else " ✓" if reached else " ✗")
        bars.append(plots.Bar(row["name"], ratio, shown=shown, kind=kind,
                              mark=reach_as_ratio(row)))
    if bars:
        sections.append(Plot(plots.bars(bars, "figures", "ratio to the limit", base=1),
                             "✓ reached, ✗ not reached."))
    columns = [("figure", False), ("median", True), ("min .. max", True), ("unit", False),
               ("limit", True), ("ratio", True), ("to reach", True), ("reached", False),
               ("kept, dropped", True)]
    sections.append(Table(columns, [[
        row["name"], short(row.get("value")), spread(row), row.get("unit", ""),
        short(row.get("limit")), short(row.get("ratio")), short(row.get("reach")),
        {True: "yes", False: "no"}.get(row.get("reached"), ""),
        "%s, %s" % (row.get("kept", "–"), row.get("dropped", "–"))] for row in rows]))
    return sections


def reach_as_ratio(row):
    """The place of what is to be reached on the axis of ratios. (Of figures with a limit, `reach` is
    a ratio.)"""
    reach = row.get("reach")
    return reach if isinstance(reach, (int, float)) and reach > 0 else None


def spread(row):
    if row.get("min") is None or row.get("max") is None:
        return "–"
    return "%s .. %s" % (short(row["min"]), short(row["max"]))


WORKLOADS = {
    "W1": "Peers: ping-pong, a round trip", "W2": "Peers: one to one",
    "W3": "Peers: four to one", "W4": "Peers: start and await a result",
    "W5": "Peers: hand over a parsed document", "W6": "Peers: memory of an idle entity"}
MORE_IS_BETTER = {"W2", "W3"}


def is_ours(row):
    return row["system"].startswith("isolate")


def peer_sections(rows):
    sections = []
    limits = [r for r in rows if r["workload"] == "W0" and r.get("value")]
    if limits:
        sections += [Heading("Peers: the limits of the machine"),
                     Table([("", False), ("median", True), ("min .. max", True), ("unit", False)],
                           [[r["system"], short(r["value"]), spread(r), r["unit"]] for r in limits])]
    for workload, title in WORKLOADS.items():
        of = [r for r in rows if r["workload"] == workload and r.get("value")]
        if not of:
            continue
        ratios = all(r.get("ratio") for r in of)
        key = "ratio" if ratios else "value"
        better = "more is better" if workload in MORE_IS_BETTER else "less is better"
        of.sort(key=lambda r: r[key], reverse=workload in MORE_IS_BETTER)
        bars = [plots.Bar(r["system"], r[key],
                          *(() if ratios else (r["min"], r["max"])),
                          shown=short(r[key]) if ratios else "%s %s" % (short(r[key]), r["unit"]),
                          kind="ours" if is_ours(r) else "other") for r in of]
        axis = "ratio to the limit of the machine, taken before and after each" if ratios \
            else of[0]["unit"]
        sections += [Heading(title),
                     Plot(plots.bars(bars, title, "%s (%s)" % (axis, better),
                                     base=1 if ratios else None))]
        columns = [("system", False), ("median", True), ("min .. max", True), ("unit", False),
                   ("ratio", True), ("kept, dropped", True), ("placement", False),
                   ("version", False), ("note", False)]
        sections.append(Table(columns, [[
            r["system"], short(r["value"]), spread(r), r["unit"], short(r.get("ratio")),
            "%d, %d" % (r["kept"], r["dropped"]), r["placement"], r["version"], r["note"]]
            for r in of], [i for i, r in enumerate(of) if is_ours(r)], folded="All numbers"))
    return sections


def latency_sections(latencies):
    by_unit = {}
    for name, unit, values in latencies:
        by_unit.setdefault(unit, []).append((name, values))
    sections = []
    for unit, series in by_unit.items():
        for first in range(0, len(series), plots.SERIES):
            part = series[first:first + plots.SERIES]
            title = "latency distribution, " + unit
            sections.append(Plot(plots.percentiles(part, title, unit)))
        columns = sorted({p for _, values in series for p in values})
        sections.append(Table(
            [("", False)] + [("%g %%" % p if p < 100 else "max", True) for p in columns],
            [[name] + [short(values.get(p)) for p in columns] for name, values in series],
            folded="All numbers, " + unit))
    return [Heading("Latency distributions")] + sections if sections else []


def scaling_sections(families):
    sections = []
    for family, unit, series in families:
        xs = [x for points in series.values() for x, _ in points]
        x_log = min(xs) > 0 and max(xs) / min(xs) > 10
        drawn = [plots.Curve(name or family, [p for p in points if p[1] > 0])
                 for name, points in sorted(series.items())]
        drawn = [curve for curve in drawn if curve.points]
        if drawn:
            sections += [Heading(family, 3),
                         Plot(plots.curves(drawn, family, "argument", unit, x_log=x_log,
                                           y_log=True))]
    return [Heading("Scaling")] + sections if sections else []


def benchmark_sections(rows):
    if not rows:
        return []
    return [Heading("All benchmarks"), Table(
        [("benchmark", False), ("median", True), ("min .. max", True), ("unit", False),
         ("repetitions", True), ("counters", False)],
        [[r["name"], short(r["value"]), spread(r), r["unit"], str(r["repetitions"]),
          ", ".join("%s %s" % (name, short(value)) for name, value in r["counters"].items())]
         for r in rows], folded="%d benchmarks" % len(rows))]


def to_html(title, subtitle, sections):
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<title>%s</title><style>%s</style></head>\n<body><main>\n<h1>%s</h1>\n"
            "<p class=\"muted\">%s</p>\n%s\n</main></body></html>\n"
            % (html.escape(title), STYLE, html.escape(title), html.escape(subtitle),
               "\n".join(s.to_html() for s in sections)))


def to_markdown(title, subtitle, sections):
    parts = ["# %s\n" % title, subtitle + "\n"] + [s.to_markdown() for s in sections]
    return "\n".join(part for part in parts if part)


def to_json(title, subtitle, facts, trusted, against, results):
    return json.dumps({
        "title": title, "when": subtitle, "trusted": trusted, "reasons": against, "noise": facts,
        "figures": results.figures, "peers": results.peers, "benchmarks": results.benchmarks},
        indent=1, sort_keys=True) + "\n"
