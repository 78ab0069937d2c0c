"""The figure that opens chapters 1 to 8: the same six patches, each time with the step that the chapter adds."""

from collections.abc import Callable, Sequence

import matplotlib
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import Tensor

from flatten_edu.analysis import rank_summary
from flatten_edu.data import SixPatches, six_patches
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map
from flatten_edu.plot.flow import flow_panel
from flatten_edu.plot.style import INK, OF_KEYS, SMALLEST, Picture, Strip, panel

# A patch has its colour of `OF_KEYS` in every chapter, and in the lab where it is a key.
KINDS = {"softmax": "softmax", "relu": "linear attention, ReLU", "focused": "linear attention, $f_3$"}
BLUES = matplotlib.colormaps["Blues"]
KIND_COLOURS = {"softmax": "#2088c9", "relu": "#818b98", "focused": "#dd6a1a"}


@panel(2.75)
def photo_panel(axes: Axes, cat: SixPatches) -> str:
    """The photograph cut into six, with each patch's name and two features."""
    side, (rows, columns) = cat.pixels.shape[1], cat.grid
    gap = 0.36 * side  # below each patch, for its name and its numbers
    for i, name in enumerate(cat.names):
        x, y = i % columns * 1.06 * side, i // columns * (side + gap)
        axes.imshow(cat.pixels[i], extent=(x, x + side, y + side, y), interpolation="none")
        contrast, redness = cat.x[i].tolist()
        axes.text(x + side / 2, y + 1.05 * side, name, ha="center", va="top", color=OF_KEYS[i], weight="bold")
        axes.text(x + side / 2, y + 1.20 * side, f"({contrast:.2f}, {redness:.2f})", ha="center", va="top",
                  fontsize=SMALLEST)  # fmt: skip
    axes.set(xlim=(0, 1.06 * columns * side), ylim=(rows * (side + gap), 0), aspect="equal",
             title="(contrast, redness)")  # fmt: skip
    axes.set_axis_off()
    return f"A cat's face cut into six patches, with the contrast and the redness of each: {_pairs(cat, cat.x)}."


@panel(3.1)
def arrows_panel(
    axes: Axes,
    cat: SixPatches,
    vectors: Float[Tensor, "6 2"],
    title: str,
    before: Float[Tensor, "6 2"] | None = None,
    axis_names: tuple[str, str] = ("1st number", "2nd number"),
) -> str:
    """One arrow a patch in its colour; a dashed line where the arrow was before, if it was elsewhere."""
    for i, tip in enumerate(vectors):
        if before is not None:
            x, y = before[i].tolist()
            axes.plot([0, x], [0, y], "--", color=OF_KEYS[i], linewidth=1)
        axes.add_patch(FancyArrowPatch((0, 0), tip.tolist(), arrowstyle="-|>", mutation_scale=10, color=OF_KEYS[i],
                                       linewidth=1.8, shrinkA=0, shrinkB=0))  # fmt: skip
    shown = vectors if before is None else torch.cat([vectors, before])
    low, high = min(shown.min().item(), 0.0), shown.max().item()
    room = 0.12 * (high - low)
    _label_tips(axes, cat.names, vectors, shown, low - room, high + 2.2 * room)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.axvline(0, color=INK, linewidth=0.6)
    axes.set(xlim=(low - room, high + 2.2 * room), ylim=(low - room, high + room), aspect="equal", title=title,
             xlabel=axis_names[0], ylabel=axis_names[1])  # fmt: skip
    return f"{title.replace('$', '')}, as arrows: {_pairs(cat, vectors)}."


def _pairs(cat: SixPatches, vectors: Tensor) -> str:
    return "; ".join(f"{n} ({a:.2f}, {b:.2f})" for n, (a, b) in zip(cat.names, vectors.tolist(), strict=True))


def _label_tips(axes: Axes, names: tuple[str, ...], vectors: Tensor, lines: Tensor, least: float, most: float) -> None:
    """Names beside the tips: of the places around a tip the first that covers least of lines, axes and other names.

    `least` and `most` are the ends of the x axis, between which names stay.
    """
    span = most - least
    height, letter, gap = 0.05 * span, 0.03 * span, 0.025 * span  # of small bold type in these panels
    along = torch.linspace(0, 1, 50)[:, None]
    axes_lines = span * torch.cat([torch.eye(2), -torch.eye(2)])
    taken = torch.cat([along * tip for tip in lines] + [along * line for line in axes_lines])
    for name, colour, (x, y) in zip(names, OF_KEYS, vectors.tolist(), strict=True):
        size = torch.tensor([letter * len(name), height])
        width = size[0].item()
        columns = [left for left in (x + gap, x - width / 2, x - gap - width) if least <= left <= most - width]
        rows = [y - height / 2, y + gap, y - gap - height, y + 1.5 * height, y - 2 * height, y + 2.5 * height]
        places = [torch.tensor([left, low]) for low in rows for left in columns]
        covered = [((taken > place) & (taken < place + size)).all(1).sum().item() for place in places]
        place = places[covered.index(min(covered))]
        inside = torch.cartesian_prod(torch.linspace(0, 1, 9), torch.linspace(0, 1, 5)) * size
        taken = torch.cat([taken, place + inside, place + inside])  # names on names are worst
        left, low = place.tolist()
        axes.text(left, low, name, color=colour, weight="bold", fontsize=SMALLEST, va="bottom")


@panel(3.25)
def map_panel(axes: Axes, cat: SixPatches, weights: Float[Tensor, "6 6"], title: str, percent: bool = True) -> str:
    """6 x 6 weights with their numbers: a row is a query, a column a key."""
    largest = weights.abs().max().item()
    axes.imshow((0.8 * weights / largest).numpy(), cmap=BLUES, vmin=0, vmax=1)
    for i, row in enumerate(weights.tolist()):
        for j, weight in enumerate(row):
            text = f"{100 * weight:.0f}" if percent else f"{weight:.2f}".removeprefix("0") if weight else "0"
            axes.text(j, i, text, ha="center", va="center", color=_on_blue(weight / largest))
    axes.set_xticks(range(6), cat.names, rotation=45, ha="right", rotation_mode="anchor")
    _name_rows(axes, cat)
    for label, colour in zip(axes.get_xticklabels(), OF_KEYS, strict=True):
        label.set_color(colour)
    axes.set(title=title)
    rows = "; ".join(
        f"{name} {', '.join(f'{100 * w:.0f}' if percent else f'{w:.2f}' for w in row)}"
        for name, row in zip(cat.names, weights.tolist(), strict=True)
    )
    return f"{title.replace('$', '')}, a row for each of {', '.join(cat.names)}: {rows}."


def _name_rows(axes: Axes, cat: SixPatches) -> None:
    axes.set_yticks(range(6), cat.names)
    for label, colour in zip(axes.get_yticklabels(), OF_KEYS, strict=True):
        label.set_color(colour)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _on_blue(share: float) -> str:
    """The colour of a number that can be read on its cell."""
    return "white" if share > 0.7 else "#1f2328"


@panel(3.25)
def bars_panel(axes: Axes, cat: SixPatches, kinds: Sequence[str]) -> str:
    """The first patch's weights by several kinds, for each key a bar a kind."""
    thickness = 0.8 / len(kinds)
    told = []
    for i, kind in enumerate(kinds):
        percent = (100 * attention_matrix(cat.q, cat.k, kind)[0]).tolist()
        places = [j + (i - (len(kinds) - 1) / 2) * thickness for j in range(6)]
        axes.barh(places, percent, thickness * 0.92, color=KIND_COLOURS[kind], label=KINDS[kind])
        told.append(f"{kind}: {', '.join(f'{weight:.0f}' for weight in percent)}")
    axes.set_yticks(range(6), cat.names)
    axes.invert_yaxis()
    title = f"the {cat.names[0]}'s weights"
    axes.set(title=title, xlabel="weight, %")
    axes.figure.legend(loc="outside lower left")
    return f"{title}, in percent, for {', '.join(cat.names)}. {'; '.join(told)}."


@panel(2.9)
def spectrum_panel(axes: Axes, cat: SixPatches, kinds: Sequence[str]) -> str:
    """The six singular values of each kind's map."""
    told = []
    for i, (kind, colour) in enumerate(zip(kinds, KIND_COLOURS.values(), strict=False)):
        summary = rank_summary(attention_matrix(cat.q, cat.k, kind))
        values = summary.values.where(summary.values > 1e-12, 0.0).tolist()
        places = [j + 1 + (i - (len(kinds) - 1) / 2) * 0.36 for j in range(6)]
        axes.bar(places, values, 0.34, color=colour, label=f"{KINDS[kind]}: rank {summary.rank}")
        told.append(f"{kind}, rank {summary.rank}: {', '.join(f'{v:.2f}' for v in values)}")
    axes.set(title="singular values", xlabel="singular value, from the largest", xticks=range(1, 7))
    axes.legend()
    return f"singular values. {'; '.join(told)}."


@panel(1.25)
def cut_panel(axes: Axes, cat: SixPatches) -> str:
    """The photograph in 6, 24 and 96 patches."""
    height, width = cat.photo.shape[:2]
    for i, times in enumerate([1, 2, 4]):
        left = i * 1.12 * width
        axes.imshow(cat.photo, extent=(left, left + width, height, 0))
        for j in range(3 * times + 1):
            axes.plot([left + j * width / (3 * times)] * 2, [0, height], color="#ffffff", linewidth=0.8)
        for j in range(2 * times + 1):
            axes.plot([left, left + width], [j * height / (2 * times)] * 2, color="#ffffff", linewidth=0.8)
        axes.text(left + width / 2, 1.08 * height, f"{6 * times**2} patches", ha="center", va="top")
    axes.set(xlim=(0, 3.24 * width), ylim=(1.45 * height, 0), aspect="equal")
    axes.set_axis_off()
    return "The photograph cut into 6, into 24 and into 96 patches."


@panel(2.3)
def pairs_panel(axes: Axes) -> str:
    """Maps of 6, 24 and 96 tokens, to one scale."""
    left = 0.0
    for n in (6, 24, 96):
        axes.add_patch(Rectangle((left, 0), n, n, color=KIND_COLOURS["softmax"]))
        axes.text(left + n / 2, -3, f"{n} tokens\n{n * n:,} pairs", ha="center", va="top")
        left += max(n, 36) + 10
    axes.set(xlim=(-16, left), ylim=(-26, 98), aspect="equal", title="weights, one for each pair, to scale")
    axes.set_axis_off()
    return "Squares to scale: 6 tokens have 36 pairs, 24 have 576, 96 have 9,216."


@panel(2.6)
def table_panel(axes: Axes, cat: SixPatches, tables: dict[str, Float[Tensor, "6 2"]], title: str) -> str:
    """Small tables of two columns side by side, a row a patch."""
    for t, (name, table) in enumerate(tables.items()):
        axes.text(2.6 * t + 0.5, -0.9, name, ha="center")
        for i, row in enumerate(table.tolist()):
            for j, number in enumerate(row):
                axes.add_patch(Rectangle((2.6 * t + j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=0.5))
                axes.text(2.6 * t + j, i, f"{number:.2f}", ha="center", va="center", fontsize=SMALLEST)
    _name_rows(axes, cat)
    axes.set(xlim=(-0.6, 2.6 * len(tables) - 1), ylim=(5.6, -1.5), title=title, xticks=[])
    return f"{title.replace('$', '')}: tables of two numbers for each of the six patches."


@panel(2.6)
def state_panel(axes: Axes, cat: SixPatches) -> str:
    """Six tokens poured one after the other into a state of 2 x 2 numbers: what it holds after each."""
    states = (cat.k.relu()[:, :, None] * cat.v[:, None, :]).cumsum(0)
    for i, state in enumerate(states):
        left, top = i % 3 * 3.0, i // 3 * 3.4
        axes.text(left + 0.5, top - 0.85, f"+ {cat.names[i]}", ha="center", color=OF_KEYS[i], weight="bold",
                  fontsize=SMALLEST)  # fmt: skip
        for row, numbers in enumerate(state.tolist()):
            for column, number in enumerate(numbers):
                share = number / states.max().item()
                axes.add_patch(Rectangle((left + column - 0.5, top + row - 0.5), 1, 1, facecolor=BLUES(0.8 * share)))
                axes.text(left + column, top + row, f"{number:.2f}", ha="center", va="center", color=_on_blue(share))
    axes.set(xlim=(-0.8, 7.8), ylim=(5.2, -1.4), aspect="equal", title=r"the state $S=\phi(K)^\top V$ as tokens arrive")
    axes.set_axis_off()
    last = ", ".join(f"{number:.2f}" for number in states[-1].flatten().tolist())
    return f"A state of two by two numbers after each of the six tokens; at the end it holds {last}."


def thread_figure(step: str) -> Strip:
    """The six patches at one of the book's steps.

    Raises:
        ValueError: an unknown step; the known ones are listed.
    """
    if step not in STEPS:
        raise ValueError(f"thread_figure knows the steps {', '.join(STEPS)}, got {step!r}")
    return Strip(STEPS[step](six_patches()))


_FEATURES = ("contrast", "redness")


def _map_of(cat: SixPatches, kind: str) -> Picture:
    return map_panel(cat, attention_matrix(cat.q, cat.k, kind), f"{KINDS[kind]}: weights, %")


def _outputs(cat: SixPatches, kind: str) -> Tensor:
    return attention_matrix(cat.q, cat.k, kind) @ cat.v


def _outputs_and_values(cat: SixPatches, kind: str) -> Picture:
    return arrows_panel(cat, _outputs(cat, kind), "outputs (solid), values (dashed)", cat.v, _FEATURES)


def _convolution(cat: SixPatches) -> list[Picture]:
    m = dwc_matrix(cat.kernel, cat.grid)
    out = _outputs(cat, "focused") + m @ cat.v
    return [
        map_panel(cat, m, "the convolution's matrix", percent=False),
        arrows_panel(cat, out, "outputs with the convolution", axis_names=_FEATURES),
    ]


STEPS: dict[str, Callable[[SixPatches], list[Picture]]] = {
    "patches": lambda cat: [photo_panel(cat), arrows_panel(cat, cat.x, "patches", axis_names=_FEATURES)],
    "queries and keys": lambda cat: [arrows_panel(cat, cat.q, "queries q"), arrows_panel(cat, cat.k, "keys k")],
    "softmax": lambda cat: [_map_of(cat, "softmax"), _outputs_and_values(cat, "softmax")],
    "cut": lambda cat: [cut_panel(cat)],
    "pairs": lambda cat: [pairs_panel()],
    "brackets": lambda cat: [
        _map_of(cat, "softmax"),
        table_panel(cat, {r"$\phi(Q)$": cat.q.relu(), r"$\phi(K)$": cat.k.relu(), "$V$": cat.v}, "two numbers each"),
    ],
    "state": lambda cat: [state_panel(cat), _outputs_and_values(cat, "relu")],
    "flat": lambda cat: [_map_of(cat, "relu"), bars_panel(cat, ("softmax", "relu"))],
    "same rows": lambda cat: [
        _map_of(cat, "relu"),
        arrows_panel(cat, cat.q.relu(), "queries before (dashed), after ReLU", cat.q),
    ],
    "rank": lambda cat: [
        spectrum_panel(cat, ("softmax", "relu")),
        arrows_panel(cat, _outputs(cat, "relu"), "outputs of linear attention", axis_names=_FEATURES),
    ],
    "unturned": lambda cat: [arrows_panel(cat, cat.k, "keys after ReLU"), bars_panel(cat, ("softmax", "relu"))],
    "turned": lambda cat: [
        arrows_panel(cat, focused_map(cat.k, 3), "keys before (dashed), after $f_3$", cat.k),
        bars_panel(cat, tuple(KINDS)),
    ],
    "focused": lambda cat: [
        _map_of(cat, "focused"),
        arrows_panel(cat, _outputs(cat, "focused"), "outputs", axis_names=_FEATURES),
    ],
    "convolution": _convolution,
    "module": lambda cat: [
        flow_panel("six patches", n=6, c=2, heads=1, class_token=False),
        flow_panel("FLatten-DeiT-T", n=197, c=192, heads=3, class_token=True),
    ],
}
