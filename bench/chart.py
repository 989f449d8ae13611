"""The chart: one small panel per workload, a dot per server on a logarithmic axis, a line from least to most."""

from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING

from bench.peers import OURS, PEERS
from bench.results import Results, Summary
from bench.workloads import Workload

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
OURS_COLOUR = "#d1495b"
PEER_COLOUR = "#3d5a80"
FLOOR_COLOUR = "#8a8f98"
INK = "#22272e"


def draw(results: Results, workloads: list[Workload], path: Path) -> bool:
    """False, with a line that says so, where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        print("no chart: matplotlib is not installed (pip install -r bench/requirements.txt)")
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = -(-len(workloads) // COLUMNS)
    figure, grid = pyplot.subplots(
        rows, COLUMNS, figsize=(10, 0.6 + 2.2 * rows), squeeze=False, sharey=True, layout="constrained"
    )
    panels = list(grid.flat)
    for panel, workload in zip(panels, workloads, strict=False):
        _panel(panel, results, workload)
    for panel in panels[len(workloads) :]:
        panel.set_visible(False)
    names = [peer.title for peer in PEERS] + ["bare C program"]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    figure.suptitle("What one unit of work costs the server (logarithmic; left is better)", fontsize=12, color=INK)
    figure.savefig(path, dpi=160, facecolor="white")
    pyplot.close(figure)
    return True


def _panel(panel: "Axes", results: Results, workload: Workload) -> None:
    panel.set_xscale("log")
    rows = [peer.name for peer in PEERS] + ([workload.floor] if workload.floor else [])
    found: list[Summary] = []
    for row, name in enumerate(rows):
        value = results.summary(workload.name, name, workload.key)
        if value is None or value.median <= 0:
            continue
        colour = OURS_COLOUR if name == OURS else FLOOR_COLOUR if name == workload.floor else PEER_COLOUR
        panel.plot([max(value.least, value.median / 10), value.most], [row, row], color=colour, linewidth=2, alpha=0.5)
        panel.plot([value.median], [row], "o", color=colour, markersize=7)
        panel.annotate(
            _short(value.median), (value.most, row), (7, 0), textcoords="offset points", va="center", fontsize=9,
            color=colour, fontweight="bold" if name == OURS else "normal",
        )  # fmt: skip
        found.append(value)
    if found:
        _scale(panel, min(value.median for value in found), max(value.most for value in found))
    title, _, rest = workload.title.partition(", ")
    panel.set_title(f"{title}\n{rest}", fontsize=9.5, color=INK, loc="left", linespacing=1.3)
    panel.set_xlabel(workload.unit, fontsize=8.5, color=INK)
    panel.tick_params(labelsize=8.5, colors=INK)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", which="major", color="#e5e7eb", linewidth=0.8)
    panel.set_axisbelow(True)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)


def _scale(panel: "Axes", lowest: float, highest: float) -> None:
    """Whole decades around what there is, with plain numbers below, and room for the last figure at the right."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    first, last = floor(log10(lowest)), max(ceil(log10(highest)), floor(log10(lowest)) + 1)
    panel.set_xlim(10.0**first / 1.2, 10.0 ** (last + 0.3 * (last - first)))
    panel.set_xticks([10.0**power for power in range(first, last + 1)])
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(axis="x", which="minor", length=0)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.0f}"
