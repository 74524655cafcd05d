"""Plots as SVG text: scales, bars and curves; for a page that has the style below (pages.py), or as
files that stand alone."""

import html
import math
import re

WIDTH = 820
LABELS = 275   # for the names of bars
VALUES = 120   # for the figures behind them
BAR, GAP = 14, 10
SERIES = 6     # colours that the style has

# By name: CSS variables of the same names.
LIGHT = {"page": "#fcfcfb", "text": "#1c1c1a", "muted": "#5f5e58", "rule": "#d9d8d2",
         "panel": "#f3f2ee", "ours": "#2a78d6", "other": "#a9a79d", "good": "#2a78d6",
         "bad": "#c2410c", "mark": "#1c1c1a", "s1": "#2a78d6", "s2": "#c05b00", "s3": "#16855b",
         "s4": "#7a4bc4", "s5": "#b3266e", "s6": "#6b6a20"}
DARK = {"page": "#191918", "text": "#ecebe6", "muted": "#a3a199", "rule": "#3d3c38",
        "panel": "#232321", "ours": "#5b9ff0", "other": "#6f6d65", "good": "#5b9ff0",
        "bad": "#f08a4b", "mark": "#ecebe6", "s1": "#5b9ff0", "s2": "#ee9a45", "s3": "#46b98a",
        "s4": "#ab8cf0", "s5": "#ee7cb0", "s6": "#bdbb55"}
STYLE = """svg text { font: 13px system-ui, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--text); }
svg .tick, svg .axis { fill: var(--muted); font-size: 12px; }
svg .value { font-variant-numeric: tabular-nums; font-size: 12px; }
svg text.ours, svg text.good { font-weight: 600; }
svg .grid { stroke: var(--rule); } svg .origin { stroke: var(--muted); }
svg .spread { stroke: var(--text); stroke-width: 1.5; opacity: 0.65; }
svg .mark { stroke: var(--mark); stroke-width: 2.5; }
svg .bar.ours, svg .bar.good { fill: var(--ours); } svg .bar.other { fill: var(--other); }
svg .bar.bad { fill: var(--bad); }
svg .curve { fill: none; stroke-width: 2; }
svg .dot { stroke: var(--page); stroke-width: 1.5; }
""" + "".join("svg .curve.series%d { stroke: var(--s%d); } svg .dot.series%d { fill: var(--s%d); }\n"
              % (i, i, i, i) for i in range(1, SERIES + 1))


def variables(colours):
    return " ".join("--%s: %s;" % colour for colour in colours.items())


def standalone(pictures):
    """One file of several pictures, one below the other, in the light colours: some viewers know no
    variables of CSS."""
    style = re.sub(r"var\(--(\w+)\)", lambda name: LIGHT[name[1]], STYLE)
    parts, top = [], 10
    for title, picture in pictures:
        width, height = re.match(r'<svg viewBox="0 0 (\d+) (\d+)"', picture).groups()
        parts.append(text(10, top + 16, title, kind="title"))
        parts.append(picture.replace("<svg ", '<svg x="0" y="%d" width="%s" height="%s" '
                                     % (top + 30, width, height), 1))
        top += int(height) + 50
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">\n'
            '<style>%s</style>\n<rect width="100%%" height="100%%" fill="%s"/>\n%s\n</svg>\n'
            % (WIDTH, top, WIDTH, top, style, LIGHT["page"], "\n".join(parts)))


class Scale:
    """From values to places on an axis, linear or logarithmic."""

    def __init__(self, low, high, start, end, log=False):
        if log and low <= 0:
            raise ValueError("a logarithmic axis has no place for %r" % low)
        if not low < high:
            raise ValueError("an axis from %r to %r" % (low, high))
        self.low, self.high, self.start, self.end, self.log = low, high, start, end, log

    def __call__(self, value):
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        if not self.log:
            return linear_ticks(self.low, self.high)
        exponents = range(math.ceil(math.log10(self.low) - 1e-9),
                          math.floor(math.log10(self.high) + 1e-9) + 1)
        ticks = [10.0 ** e for e in exponents]
        step = max(1, -(-len(ticks) // 8))
        ticks = ticks[::step]
        if len(ticks) < 3:
            ticks = [m * 10.0 ** e for e in range(exponents.start - 1, exponents.stop + 1)
                     for m in (1, 2, 5)]
        return [t for t in ticks if self.low * (1 - 1e-9) <= t <= self.high * (1 + 1e-9)]


def linear_ticks(low, high, most=6):
    """Round numbers between the two, at most so many."""
    raw = (high - low) / (most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def log_range(values):
    """The axis that shows all of them: to the next 1, 2 or 5 times a power of ten."""
    return (max(t for t in _round_numbers(min(values)) if t <= min(values) * (1 + 1e-9)),
            min(t for t in _round_numbers(max(values)) if t >= max(values) * (1 - 1e-9)))


def _round_numbers(near):
    power = math.floor(math.log10(near))
    return [m * 10.0 ** e for e in (power - 1, power, power + 1) for m in (1, 2, 5)]


def short(value):
    """Three digits, for readers."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e7 or size < 1e-3:
        mantissa, _, exponent = ("%.2e" % value).partition("e")
        return "%se%d" % (mantissa.rstrip("0").rstrip("."), int(exponent))
    if size >= 100:
        return "{:,.0f}".format(value)
    return ("%.3g" % value)


def text(x, y, content, anchor="start", kind=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>' % (
        x, y, anchor, kind, html.escape(content))


def line(x1, y1, x2, y2, kind):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>' % (x1, y1, x2, y2, kind)


def svg(height, parts, title):
    return ('<svg viewBox="0 0 %d %d" role="img" aria-label="%s">\n%s\n</svg>'
            % (WIDTH, height, html.escape(title, quote=True), "\n".join(parts)))


class Bar:
    """value: what is drawn; low, high: its spread, or None; shown: the figure behind it; kind: a
    class of the style; mark: a value to be reached, or None."""

    def __init__(self, name, value, low=None, high=None, shown=None, kind="other", mark=None):
        self.name, self.value, self.low, self.high = name, value, low, high
        self.shown = short(value) if shown is None else shown
        self.kind, self.mark = kind, mark


def bars(rows, title, axis, log=True, base=None):
    """Horizontal bars from `base` (a logarithmic axis: 1 is a good one for ratios; None: the low end
    of the axis)."""
    seen = [v for row in rows for v in (row.value, row.low, row.high, row.mark) if v is not None]
    if base is not None:
        seen.append(base)
    if log:
        low, high = log_range([v for v in seen if v > 0])
        if low == high:
            low, high = low / 2, high * 2
    else:
        low, high = min(0, min(seen)), max(seen) or 1
    scale = Scale(low, high, LABELS, WIDTH - VALUES, log)
    origin = scale(low if base is None else base)
    bottom = len(rows) * (BAR + GAP) + GAP
    parts = []
    for tick in scale.ticks():
        parts.append(line(scale(tick), 0, scale(tick), bottom, "grid"))
        parts.append(text(scale(tick), bottom + 16, short(tick), "middle", "tick"))
    for i, row in enumerate(rows):
        top = GAP + i * (BAR + GAP)
        end = scale(row.value)
        left, width = min(origin, end), max(abs(end - origin), 1.5)
        parts.append('<g><title>%s: %s</title>' % (html.escape(row.name), html.escape(row.shown)))
        parts.append(text(LABELS - 10, top + BAR - 3, row.name, "end", "name " + row.kind))
        parts.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="3" class="bar %s"/>'
                     % (left, top, width, BAR, row.kind))
        if row.low is not None and row.high is not None and row.low < row.high:
            middle = top + BAR / 2
            parts.append(line(scale(row.low), middle, scale(row.high), middle, "spread"))
        if row.mark is not None:
            parts.append(line(scale(row.mark), top - 4, scale(row.mark), top + BAR + 4, "mark"))
        parts.append(text(WIDTH - VALUES + 10, top + BAR - 3, row.shown, "start", "value"))
        parts.append("</g>")
    parts.append(line(origin, 0, origin, bottom, "origin"))
    parts.append(text((LABELS + WIDTH - VALUES) / 2, bottom + 34, axis, "middle", "axis"))
    return svg(bottom + 42, parts, title)


class Curve:
    """points: [(x, y)] in the order of x."""

    def __init__(self, name, points):
        self.name, self.points = name, sorted(points)


def curves(series, title, x_axis, y_axis, x_log=False, y_log=False, x_names=None):
    """Lines, with a legend if they are several. x_names: {x: label} instead of ticks."""
    left, right, top, bottom = 92, WIDTH - 20, 14, 300
    xs = [x for curve in series for x, _ in curve.points]
    ys = [y for curve in series for _, y in curve.points]
    if y_log:
        y_low, y_high = log_range(ys)
        if y_low == y_high:
            y_low, y_high = y_low / 2, y_high * 2
    else:
        y_low, y_high = 0, max(ys) * 1.05 or 1
    x_low, x_high = min(xs), max(xs)
    if x_low == x_high:
        x_low, x_high = (x_low / 2, x_high * 2) if x_log else (x_low - 1, x_high + 1)
    across = Scale(x_low, x_high, left, right, x_log)
    up = Scale(y_low, y_high, bottom, top, y_log)
    parts = []
    for tick in up.ticks():
        parts.append(line(left, up(tick), right, up(tick), "grid"))
        parts.append(text(left - 8, up(tick) + 4, short(tick), "end", "tick"))
    for x, label in sorted((x_names or {t: short(t) for t in across.ticks()}).items()):
        parts.append(line(across(x), bottom, across(x), bottom + 5, "origin"))
        parts.append(text(across(x), bottom + 19, label, "middle", "tick"))
    parts.append(line(left, bottom, right, bottom, "origin"))
    for i, curve in enumerate(series):
        kind = "series%d" % (i % SERIES + 1)
        dash = "" if i < SERIES else ' stroke-dasharray="6 4"'
        path = " ".join("%s%.1f %.1f" % ("L" if j else "M", across(x), up(y))
                        for j, (x, y) in enumerate(curve.points))
        parts.append('<path d="%s" class="curve %s"%s/>' % (path, kind, dash))
        for x, y in curve.points:
            parts.append('<circle cx="%.1f" cy="%.1f" r="4" class="dot %s"><title>%s: %s at %s'
                         '</title></circle>' % (across(x), up(y), kind, html.escape(curve.name),
                                                short(y), (x_names or {}).get(x, short(x))))
    parts.append(text((left + right) / 2, bottom + 40, x_axis, "middle", "axis"))
    parts.append('<text transform="translate(14 %d) rotate(-90)" text-anchor="middle" class="axis">%s'
                 '</text>' % ((top + bottom) / 2, html.escape(y_axis)))
    height = bottom + 50
    if len(series) > 1:
        for i, curve in enumerate(series):
            x = left + (i % 2) * (right - left) / 2
            y = height + 16 + i // 2 * 20
            kind = "series%d" % (i % SERIES + 1)
            dash = "" if i < SERIES else ' stroke-dasharray="6 4"'
            parts.append('<path d="M%.1f %.1fh24" class="curve %s"%s/>' % (x, y - 4, kind, dash))
            parts.append(text(x + 32, y, curve.name, "start", "name"))
        height += 16 + (len(series) + 1) // 2 * 20
    return svg(height, parts, title)


def percentile_place(percent):
    """Where a percentile stands: each further nine is as far as the one before. 100 has no place."""
    return 1 / (1 - percent / 100)


def percentiles(series, title, unit):
    """Curves of {percent: value}; the maximum (100) is drawn one nine after the last."""
    names, drawn = {}, []
    for name, values in series:
        last = max(p for p in values if p < 100)
        points = []
        for percent, value in values.items():
            place = percentile_place(percent if percent < 100 else 100 - (100 - last) / 10)
            names[place] = "%g %%" % percent if percent < 100 else "max"
            points.append((place, value))
        drawn.append(Curve(name, points))
    return curves(drawn, title, "share of the operations that took at most so long", unit,
                  x_log=True, y_log=True, x_names=names)
