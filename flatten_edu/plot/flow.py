"""What the paper's module forms, as its code does: one box an operation, with the shape of what leaves it."""

from matplotlib.axes import Axes

from flatten_edu.plot.style import INK, SMALLEST, panel

# Column and line of a box, what it does, and the shape that leaves it. Columns: queries 0, keys 1, values 2.
_BOXES = {
    "x": (1, 0, "tokens", "{n} × {c}"),
    "q": (0, 1, "q", "{n} × {c}"),
    "k": (1, 1, "k", "{n} × {c}"),
    "v": (2, 1, "v", "{n} × {c}"),
    "position": (1, 2, "+ position", "{n} × {c}"),
    "q relu": (0, 3, "ReLU, + ε,\n÷ scale", "{n} × {c}"),
    "k relu": (1, 3, "ReLU, + ε,\n÷ scale", "{n} × {c}"),
    "q focus": (0, 4, "$f_p$ over\nall channels", "{n} × {c}"),
    "k focus": (1, 4, "$f_p$ over\nall channels", "{n} × {c}"),
    "q heads": (0, 5, "split", "{h} · {n} × {d}"),
    "k heads": (1, 5, "split", "{h} · {n} × {d}"),
    "v heads": (2, 5, "split", "{h} · {n} × {d}"),
    "state": (1, 6, "state $K^TV$", "{h} · {d} × {d}"),
    "read": (0, 7, "Q · state\n÷ row sum", "{h} · {n} × {d}"),
    "dwc": (2, 7, "DWC", "{h} · {cells} × {d}"),
    "sum": (1, 8, "sum, join,\nproject", "{n} × {c}"),
}
_ARROWS = [
    ("x", "q"), ("x", "k"), ("x", "v"), ("q", "q relu"), ("k", "position"), ("position", "k relu"),
    ("q relu", "q focus"), ("k relu", "k focus"), ("q focus", "q heads"), ("k focus", "k heads"), ("v", "v heads"),
    ("k heads", "state"), ("v heads", "state"), ("q heads", "read"), ("state", "read"), ("v heads", "dwc"),
    ("read", "sum"), ("dwc", "sum"),
]  # fmt: skip


@panel(5.4)
def flow_panel(axes: Axes, title: str, n: int, c: int, heads: int, class_token: bool) -> str:
    """The data flow for n tokens of c channels in so many heads; the convolution leaves a class token out."""
    sizes = {"n": n, "c": c, "h": heads, "d": c // heads, "cells": n - class_token}
    centres = {name: (column, line) for name, (column, line, _, _) in _BOXES.items()}
    for start, end in ((centres[a], centres[b]) for a, b in _ARROWS):
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.9}
        arrow |= {"shrinkA": 17, "shrinkB": 19} if start[0] == end[0] else {"shrinkA": 26, "shrinkB": 28}
        axes.annotate("", end, start, arrowprops=arrow)
    described = []
    for column, line, what, shape in _BOXES.values():
        text = f"{what}\n{shape.format(**sizes)}"
        box = {"boxstyle": "round,pad=0.25", "facecolor": "none", "edgecolor": INK, "linewidth": 0.8}
        axes.text(column, line, text, ha="center", va="center", fontsize=SMALLEST, linespacing=1.15, bbox=box)
        described.append(text.replace("\n", " ").replace("$", ""))
    axes.set(xlim=(-0.5, 2.5), ylim=(8.5, -0.5), title=title)
    axes.set_axis_off()
    return f"The module's tensors for {title}, in order: {'; '.join(described)}."
