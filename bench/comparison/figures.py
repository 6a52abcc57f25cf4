"""Median, spread and ratios of what was measured; pure, and of numbers alone.

A ratio is taken pair by pair: runs of one round are neighbours in time, so what slows the whole
machine slows both, and leaves their ratio as it was. What the ratios still differ by is noise.
"""

import math
import statistics
from dataclasses import dataclass

# Ratios of one row that lie further apart than this share of their median say little.
NOISY_SPREAD = 0.15
# What is due by the clock comes back at the same rate, unless somebody cannot follow.
RATE_KEPT = 0.05


@dataclass(frozen=True)
class Summary:
    median: float
    low: float
    high: float

    @property
    def spread(self):
        """How far the values lie apart, as a share of their median; 0 of one value."""
        return (self.high - self.low) / self.median if self.median else 0.0


def summarize(values):
    """None where nothing was measured; values that are None do not count."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Summary(statistics.median(known), min(known), max(known))


def as_dictionary(values):
    """None where nothing was measured."""
    summary = summarize(values)
    return None if summary is None else {"median": summary.median, "low": summary.low,
                                         "high": summary.high, "spread": summary.spread}


def pair_ratios(ours, theirs):
    """Round by round; rounds in which either is missing, or theirs is 0, are left out."""
    return [our / their for our, their in zip(ours, theirs) if our is not None and their]


def standing(ratios):
    """"ahead" where less is better and every pair says so, "behind" where every pair says the
    contrary, "level" where they disagree, "unknown" without a pair."""
    if not ratios:
        return "unknown"
    if max(ratios) < 1:
        return "ahead"
    return "behind" if min(ratios) > 1 else "level"


def is_noisy(ratios):
    summary = summarize(ratios)
    return summary is not None and summary.spread > NOISY_SPREAD


def is_kept(rate, wanted):
    return abs(rate / wanted - 1) <= RATE_KEPT


def significant(value, digits=3):
    """A number as people read it: three digits that count, thousands apart."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    before_point = math.floor(math.log10(abs(value))) + 1
    rounded = round(value, digits - before_point)
    return f"{rounded:,.{max(digits - before_point, 0)}f}"
