"""What a block's parts cost at several sizes."""

from collections.abc import Mapping

from flatten_edu.plot.style import Picture, in_style
from flatten_edu.plot.trained import COLOURS


@in_style
def work_figure(work: Mapping[str, Mapping[str, float]], unit: str = "million multiplications") -> Picture:
    """A bar a size, cut into its parts, all on one axis; beside the bar the largest part's share.

    Args:
        work: for each size's title, amounts by part, the same parts in each. unit: of the amounts.
    """
    parts = list(next(iter(work.values())))
    figure = Picture(figsize=(7.2, 0.55 * len(work) + 0.9), layout="constrained")
    axes = figure.subplots()
    shares = []
    for row, amounts in enumerate(work.values()):
        left = 0.0
        for part, colour in zip(parts, COLOURS, strict=False):
            axes.barh(row, amounts[part], left=left, color=colour, label=part if row == 0 else None)
            left += amounts[part]
        largest = max(parts, key=lambda part: amounts[part])
        shares.append(f"{largest} {amounts[largest] / left:.0%}")
        axes.annotate(shares[-1], (left, row), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(work)), list(work))
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set(xlabel=unit)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.patch.set_alpha(0)
    figure.alt = "Bars of {}, cut into {}; the largest part is {}.".format(
        unit, ", ".join(parts), ", ".join(f"at {title} {share}" for title, share in zip(work, shares, strict=True))
    )
    return figure
