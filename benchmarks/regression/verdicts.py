"""Whether one of two sets of interleaved measurements is slower, and how sure that is."""

import random
import statistics

RESAMPLES = 4000


def order(rounds):
    """Who runs when: ABBA ABBA ..., so that a drift of the machine hits both alike."""
    return [("old", "new") if i % 2 == 0 else ("new", "old") for i in range(rounds)]


def interval_of_median(values, confidence, seed=1):
    """The bootstrap confidence interval of the median. The same values give the same interval."""
    chance = random.Random(seed)
    medians = sorted(statistics.median(chance.choices(values, k=len(values)))
                     for _ in range(RESAMPLES))
    skip = (1 - confidence) / 2 * (RESAMPLES - 1)
    return medians[int(skip)], medians[round(RESAMPLES - 1 - skip)]


class Comparison:
    """One benchmark, measured in pairs. old, new: times of the same rounds."""

    def __init__(self, name, unit, old, new, confidence):
        self.name, self.unit = name, unit
        self.old, self.new = old, new
        ratios = [b / a for a, b in zip(old, new)]
        self.ratio = statistics.median(ratios)
        self.low, self.high = interval_of_median(ratios, confidence)

    def verdict(self):
        if self.low > 1:
            return "slower"
        if self.high < 1:
            return "faster"
        return "no difference established"

    def slower_than(self, percent):
        """A slowdown of more than so much is established."""
        return self.low > 1 + percent / 100

    def to_json(self):
        return {"name": self.name, "unit": self.unit, "rounds": len(self.old),
                "old": spread(self.old), "new": spread(self.new), "ratio": self.ratio,
                "ratio_low": self.low, "ratio_high": self.high, "verdict": self.verdict()}


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def percent(ratio):
    return "%+.1f %%" % (100 * (ratio - 1))


def to_markdown(comparisons, confidence):
    lines = ["| benchmark | old | new | unit | change | %g %% confidence | verdict |"
             % (100 * confidence), "|---|---:|---:|---|---:|---|---|"]
    for one in comparisons:
        old, new = spread(one.old), spread(one.new)
        lines.append("| %s | %.4g (%.4g .. %.4g) | %.4g (%.4g .. %.4g) | %s | %s | %s .. %s | %s |" % (
            one.name, old["median"], old["min"], old["max"], new["median"], new["min"], new["max"],
            one.unit, percent(one.ratio), percent(one.low), percent(one.high), one.verdict()))
    return "\n".join(lines)
