"""Figures of recall: of trained models a line a run, so that every seed is seen; of stored pictures what comes back."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from flatten_edu.plot.strip import Strip
from flatten_edu.plot.style import INK, Picture, in_style
from flatten_edu.plot.trained import COLOURS

Curve = Mapping[int, float]  # by D


@in_style
def recall_figure(
    panels: Mapping[str, Mapping[str, Sequence[Curve]]],
    label: str,
    bounds: Mapping[str, int] | None = None,
    colours_of: Sequence[str] = (),
) -> Picture:
    """What models reach with D pairs, a panel a size of head.

    Args:
        panels: for each panel's title, the runs of each kind of attention; kinds have one colour in all panels.
        label: of the vertical axis.
        bounds: for each panel, d: the line d / D is drawn, which no linear attention's mean weight can exceed.
        colours_of: kinds of another figure, in its order: those that stand here too keep their colours.
    """
    kinds = list(dict.fromkeys(kind for runs in panels.values() for kind in runs))
    colour = dict(zip(dict.fromkeys([*colours_of, *kinds]), COLOURS, strict=False))
    figure = Picture(figsize=(3.6 * len(panels), 3.4), layout="constrained")
    for axes, (title, runs) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        sizes = sorted({size for curves in runs.values() for curve in curves for size in curve})
        for kind, curves in runs.items():
            for i, curve in enumerate(curves):
                points = [curve[size] for size in sizes]
                axes.plot(
                    sizes, points, "o-", color=colour[kind], linewidth=1, markersize=3, label=kind if i == 0 else None
                )
        if bounds is not None:
            bound = [min(1.0, bounds[title] / size) for size in sizes]
            axes.plot(sizes, bound, "--", color=INK, label="d / D, the bound")
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set(title=title, xlabel="D, pairs to recall (logarithmic axis)", ylim=(-0.03, 1.05))
        axes.grid(color=INK, alpha=0.25)
        axes.patch.set_alpha(0)
    figure.axes[0].set_ylabel(label)
    figure.axes[-1].legend(frameon=False, fontsize=8)
    figure.alt = f"{label} against the number of pairs D; panels: {', '.join(panels)}; lines: {', '.join(kinds)}."
    return figure


def pictures_figure(pictures: Mapping[str, Float[Tensor, "height width 3"]]) -> Strip:
    """Pictures side by side on any screen, each as it is: no contrast is stretched.

    Args:
        pictures: by the title above each, numbers from 0 to 1; what lies beyond is cut off.
    """
    return Strip([_side_by_side(pictures)])


@in_style
def _side_by_side(pictures: Mapping[str, Tensor]) -> Picture:
    figure = Picture(figsize=(2.1 * len(pictures), 2.35), layout="constrained")
    panels = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axes, (title, picture) in zip(panels, pictures.items(), strict=True):
        axes.imshow(picture.detach().clamp(0, 1).numpy())
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
    figure.alt = f"Pictures side by side: {', '.join(pictures)}."
    return figure
