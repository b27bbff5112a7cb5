"""The fault matrix: injects faults singly and in pairs, cuts by whatever way is left, and draws how each case ended.

A single fault that does not end cut, or closed for safety, within its time is a failure. Pairs are shown; only a pair in
which something passes after the longer of both times is a failure too.
"""

import argparse
import itertools
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "stories"))

from faults import FAULTS, CannotInject  # noqa: E402
from site_under_test import Site  # noqa: E402


class Row:
    """How one case ended."""

    def __init__(self, faults):
        self.name = " + ".join(fault.number for fault in faults)
        self.what = "; ".join(fault.what for fault in faults)
        self.limit = max(fault.within for fault in faults)
        self.end, self.seconds, self.way, self.said, self.skipped = "open", None, "-", "", None

    @property
    def good(self):
        return self.skipped is not None or (self.end in ("cut", "fail-safe") and self.seconds <= self.limit)

    def cells(self):
        took = "-" if self.seconds is None else f"{self.seconds:.2f} s"
        if self.skipped:
            return [self.name, self.what, "not tried", "-", "-", self.skipped]
        return [self.name, self.what, self.end if self.good else f"**{self.end}**", took, self.way, self.said]


def play(faults):
    """One case in a house of its own."""
    row = Row(faults)
    site = Site()
    try:
        for fault in faults:
            fault.prepare(site)
        site.begin()
        for fault in faults:
            fault.inject(site)
        began = time.monotonic()
        row.way, row.said = site.cut_by_any_way()
        row.end = site.await_closed(began + row.limit)
        row.seconds = time.monotonic() - began
        for fault in faults:
            fault.afterwards(site)
        site.stays_closed()
    except CannotInject as why:
        row.skipped = str(why)
    except Exception as why:  # whatever else goes wrong in a case is that case's failure, not the end of the others
        row.end, row.said = "open", f"{type(why).__name__}: {why}".splitlines()[0][:200]
        row.seconds = float("inf")
    finally:
        for fault in reversed(faults):
            fault.mend(site)
        site.close()
    return row


def draw(rows):
    lines = ["| fault | what | end state | after | by | what was said |", "|---|---|---|---|---|---|"]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in row.cells()) + " |")
    return "\n".join(lines)


def put(path, mark, text):
    """Replaces one table of a document, between its two marks."""
    begin, end = f"<!-- {mark}: written by tests/faults/run -->", f"<!-- end of {mark} -->"
    document = Path(path).read_text()
    before, rest = document.split(begin)
    _, after = rest.split(end)
    Path(path).write_text(f"{before}{begin}\n{text}\n{end}{after}")


def chosen_pairs(names, wanted):
    """All pairs, or a choice of them that is the same every time."""
    pairs = list(itertools.combinations(names, 2))
    if wanted == "all":
        return pairs
    return sorted(random.Random(7).sample(pairs, min(int(wanted), len(pairs))), key=pairs.index)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="faults to inject, such as F8,F14")
    parser.add_argument("--pairs", default="0", help="how many pairs, or `all`")
    parser.add_argument("--jobs", type=int, default=4, help="houses at the same time")
    parser.add_argument("--write", help="document to put the tables into")
    asked = parser.parse_args()
    names = asked.only.split(",") if asked.only else list(FAULTS)
    cases = [(name,) for name in names] + chosen_pairs(names, asked.pairs)
    began = time.monotonic()

    def one(case):
        row = play([FAULTS[name]() for name in case])
        print("  ".join(row.cells()), flush=True)
        return row

    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(pool.map(one, cases))
    singles, pairs = rows[: len(names)], rows[len(names) :]
    print(f"\n{draw(rows)}\n")
    bad = [row.name for row in rows if not row.good]
    skipped = [row.name for row in rows if row.skipped]
    print(f"{len(rows)} cases in {time.monotonic() - began:.0f} s: {len(rows) - len(bad) - len(skipped)} closed in time, {len(skipped)} not possible here, {len(bad)} not closed {bad or ''}")
    if asked.write:
        put(asked.write, "faults", draw(singles))
        if pairs:
            closed = sum(row.good and not row.skipped for row in pairs)
            slowest = sorted((row for row in pairs if row.seconds), key=lambda row: -row.seconds)[:10]
            text = f"{len(pairs)} pairs: {closed} closed in time, {sum(bool(row.skipped) for row in pairs)} not possible here. The ten slowest:\n\n{draw(slowest)}"
            put(asked.write, "pairs", text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
