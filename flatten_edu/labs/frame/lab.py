"""What every lab shares: its bundle, and a constructor that refuses what it does not know."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import anywidget
import traitlets as t
from traitlets import TraitError

STATIC = Path(__file__).parents[1] / "static"


LARGEST_P = 256.0


class FocusingFactor(t.Float):
    """The trait p of a lab: a number from 1 to `LARGEST_P`."""

    def validate(self, obj: t.HasTraits, value: object) -> float:
        """p, or the lab's error."""
        if not isinstance(value, int | float) or not 1 <= value <= LARGEST_P:  # NaN fails too
            raise refuse(obj, self.name, f"a number from 1 to {LARGEST_P:g}", value)
        return float(value)


class Lab(anywidget.AnyWidget):
    """A lab: its traits are its whole state, and setting one from Python moves the picture.

    Raises:
        TypeError: an argument that the lab does not have; the message lists those it has.
        TraitError: a value that will not do, with what was wanted and what came.
    """

    lab: ClassVar[str]
    files: ClassVar[Mapping[str, Path]] = {}  # large files, by name, that the view fetches once a reader asks for them
    step = t.Int(0, min=0, max=3, help="the guided step that is shown, 0 for none").tag(sync=True)

    def __init_subclass__(cls, lab: str | None = None, **kwargs: object) -> None:
        if lab is not None:  # traitlets makes further subclasses by itself, one a widget
            cls.lab = lab
            cls._esm = STATIC / f"{lab}.js"
            cls._css = STATIC / f"{lab}.css"
        super().__init_subclass__(**kwargs)

    def __init__(self, **traits: object) -> None:
        known = self.own_traits()
        unknown = sorted(set(traits) - set(known))
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(unknown)}; it takes {', '.join(known)}")
        super().__init__(**traits)
        self.on_msg(self._answer)

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        """Send a file that the view asks for; on a published page it lies beside the page instead."""
        name = content.get("file") if isinstance(content, dict) else None
        if name in self.files:
            self.send({"file": name}, buffers=[self.files[name].read_bytes()])

    @classmethod
    def own_traits(cls) -> list[str]:
        """The names of the traits that are the lab's state; the rest is the widget's machinery."""
        machinery = anywidget.AnyWidget.class_trait_names()
        return [trait for trait in cls.class_trait_names(sync=True) if trait not in machinery and trait[0] != "_"]


def refuse(lab: Lab, trait: str, wanted: str, got: object) -> TraitError:
    """The error of a trait that was given a value which will not do."""
    return TraitError(f"{type(lab).__name__} needs {trait} to be {wanted}, got {got!r}")
