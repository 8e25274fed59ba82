"""What is made of measurements: medians, ratios of rounds, spreads, and how they are written. No I/O."""

import math
import statistics


def ratios(subject, peer):
    """One ratio for each round; the two were measured one after the other, so what disturbs both cancels."""
    if len(subject) != len(peer) or not subject:
        raise ValueError("a ratio needs as many rounds of the peer as of the subject")
    return [a / b if b else math.inf for a, b in zip(subject, peer)]


def spread(values):
    """Lowest, median and highest of some rounds."""
    return min(values), statistics.median(values), max(values)


def significant(value, digits=3):
    """A number as people read it: three significant digits, thousands apart, no exponent."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}"


def ratio_text(values):
    low, middle, high = spread(values)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def is_met(middle, goal):
    """goal is (">=", 0.8) or ("<=", 8); None has no goal."""
    if goal is None:
        return None
    sign, bound = goal
    return middle >= bound if sign == ">=" else middle <= bound


class Row:
    """One line of the table."""

    def __init__(self, scenario, peer, goal=None):
        self.scenario, self.peer, self.goal = scenario, peer, goal
        self.ours = self.theirs = self.ratio = self.cpu = ""
        self.middle = None

    def compare(self, ours, theirs, unit, higher_is_better=True):
        """The rounds of both; the ratio says how many times better ours is."""
        _, our_middle, _ = spread(ours)
        _, their_middle, _ = spread(theirs)
        self.ours, self.theirs = f"{significant(our_middle)} {unit}", f"{significant(their_middle)} {unit}"
        rounds = ratios(ours, theirs) if higher_is_better else ratios(theirs, ours)
        self.middle = statistics.median(rounds)
        self.ratio = ratio_text(rounds)
        return self

    def value(self, middle, text):
        """A figure that stands for itself."""
        self.middle, self.ours = middle, text
        return self

    def verdict(self):
        if self.goal is None or self.middle is None:
            return ""
        sign, bound = self.goal
        return f"{sign} {bound:g}: " + ("met" if is_met(self.middle, self.goal) else "**missed**")

    def cells(self):
        return [self.scenario, self.peer, self.ours, self.theirs, self.ratio, self.cpu, self.verdict()]


HEADINGS = ["Scenario", "Beside", "Ours", "Theirs", "Ratio: median (range)", "CPU per request: ours / theirs", "Goal"]


def table(rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells()) + " |" for row in rows]
    return "\n".join(lines)
