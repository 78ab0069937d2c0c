"""The still picture of the lab `reorder`: both orders' matrices to scale, and what they cost."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from flatten_edu.functional import attention_cost
from flatten_edu.plot.style import INK, Picture, in_style

COLOURS = {"Q": "#2088c9", "$K^T$": "#dd6a1a", "V": "#12a07a", "middle": "#c7659f", "O": INK}
FORMULA = {"qk_first": "$(QK^T)V$", "kv_first": "$Q(K^TV)$"}
MOST = 16384


@in_style
def reorder_figure(n: int, d: int) -> Picture:
    """The three products of both orders to one scale, and the multiply-adds of both against N at this d."""
    figure = Picture(figsize=(7.2, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    _draw_matrices(left, n, d)
    _draw_costs(right, n, d)
    figure.alt = (
        f"For N = {n} tokens and d = {d}: the brackets of (QK^T)V hold {n} x {n} numbers, those of Q(K^T V) {d} x {d}, "
        f"drawn to scale; beside it the multiply-adds of both orders against N, which are equal at N = d."
    )
    return figure


def _draw_matrices(axes: Axes, n: int, d: int) -> None:
    """One line an order: its product in brackets, the other factor, the result."""
    side = max(n, d)
    lines = {
        "qk_first": [("$QK^T$", "middle", n, n), ("V", "V", n, d), ("O", "O", n, d)],
        "kv_first": [("Q", "Q", n, d), ("$K^TV$", "middle", d, d), ("O", "O", n, d)],
    }
    widest = 0.0
    for line, (order, parts) in enumerate(lines.items()):
        x, middle = 0.0, -1.5 * line * side
        for name, colour, rows, columns in parts:
            slot = max(columns, 0.62 * side)
            corner = (x + (slot - columns) / 2, middle - rows / 2)
            axes.add_patch(Rectangle(corner, columns, rows, facecolor=COLOURS[colour], edgecolor=COLOURS[colour]))
            axes.annotate(f"{name}\n{rows} × {columns}", (x + slot / 2, middle - side / 2), xytext=(0, -3),
                          textcoords="offset points", ha="center", va="top", fontsize=7)  # fmt: skip
            x += slot + 0.12 * side
        axes.annotate(FORMULA[order], (-0.2 * side, middle), ha="right", va="center", fontsize=10)
        widest = max(widest, x)
    axes.set(xlim=(-0.9 * side, widest), ylim=(-2.4 * side, 0.55 * side), aspect="equal",
             title=f"to scale, N = {n}, d = {d}")  # fmt: skip
    axes.set_axis_off()


def _draw_costs(axes: Axes, n: int, d: int) -> None:
    ends = [1, MOST]
    for order, style in {"qk_first": "-", "kv_first": "--"}.items():
        costs = [attention_cost(end, d, order).multiply_adds for end in ends]
        colour = COLOURS["middle"] if order == "qk_first" else COLOURS["Q"]
        axes.loglog(ends, costs, style, color=colour, label=FORMULA[order])
        axes.plot(n, attention_cost(n, d, order).multiply_adds, "o", color=colour, markersize=4)
    axes.plot(d, attention_cost(d, d, "qk_first").multiply_adds, "o", markerfacecolor="none", color=INK, markersize=8)
    axes.annotate(f"N = d = {d}", (d, attention_cost(d, d, "qk_first").multiply_adds), xytext=(8, -10),
                  textcoords="offset points")  # fmt: skip
    axes.set(xlabel="N", title="multiply-adds")
    axes.legend(frameon=False, labelcolor="linecolor")
    axes.spines[["top", "right"]].set_visible(False)
