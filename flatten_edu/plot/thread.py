"""The figure that opens chapters 1 to 8: the same six patches, each time with the step that the chapter adds."""

from collections.abc import Callable

from torch import Tensor

from flatten_edu.data import SixPatches, six_patches
from flatten_edu.functional import attention_matrix, dwc_matrix, focused_map
from flatten_edu.plot.flow import flow_panel
from flatten_edu.plot.style import Picture, Strip
from flatten_edu.plot.thread_panels import (
    KINDS,
    arrows_panel,
    bars_panel,
    cut_panel,
    map_panel,
    pairs_panel,
    photo_panel,
    spectrum_panel,
    state_panel,
    table_panel,
)


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
