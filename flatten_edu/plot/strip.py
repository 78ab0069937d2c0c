"""Small pictures side by side, which a narrow screen puts one under the other: each stays as large as it was drawn."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes

from flatten_edu.plot.style import Picture, in_style

WIDTH = 3.3  # inches, 330 px: a phone's column
SMALLEST = 8.0  # points: 11 px on a screen


class Strip:
    """Pictures that a notebook shows by itself, each with its own text alternative."""

    def __init__(self, pictures: Sequence[Picture]):
        self.pictures = list(pictures)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.pictures))

    def _repr_html_(self) -> str:
        shown = "".join(f'<div style="{_fits(picture)}">{picture._repr_html_()}</div>' for picture in self.pictures)
        style = "display: flex; flex-wrap: wrap; gap: 0.5rem; justify-content: space-evenly; align-items: flex-start"
        return f'<div class="fe-strip" style="{style}">{shown}</div>'


def _fits(picture: Picture) -> str:
    """A little smaller where two then fit side by side; on a phone as wide as the column."""
    return f"flex: 1 1 300px; min-width: 0; max-width: {round(100 * picture.get_size_inches()[0])}px"


@in_style
def panel(draw: Callable[[Axes], str], height: float, width: float = WIDTH) -> Picture:
    """One picture of a strip: `draw` fills its axes and returns the sentence that stands for it."""
    figure = Picture(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    figure.alt = draw(axes)
    return figure
