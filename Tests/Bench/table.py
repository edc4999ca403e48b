"""The lines that a benchmark prints: a figure, its peer's, their ratio, and what was to be reached."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable


def heading(title: str, ours: str, peer: str) -> None:
    print(f"\n{title:44} {ours:>12} {peer:>12} {'ratio':>7}  target")


def row(
    name: str,
    ours: list[float],
    peer: list[float],
    target: str = "",
    met: Callable[[float], bool] | None = None,
) -> None:
    """Medians, and the ratio of the medians, which is what `met` judges."""
    mine, theirs = statistics.median(ours), statistics.median(peer)
    ratio = mine / theirs
    verdict = "" if met is None else "  met" if met(ratio) else "  MISSED"
    print(
        f"{name:44} {number(mine):>12} {number(theirs):>12} {ratio:7.2f}  {target}{verdict}",
        flush=True,
    )


def figure(name: str, value: float, unit: str, limit: float | None = None) -> None:
    """A figure without a peer; `limit` is what it has to stay under."""
    verdict = (
        "" if limit is None else f"  < {number(limit)}{'  met' if value < limit else '  MISSED'}"
    )
    print(f"{name:44} {number(value):>12} {unit}{verdict}", flush=True)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
