"""What every lab is: its bundle, its settings' rules, and a constructor that refuses what it does not know."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets as t

from flatten_edu.analysis.proposition import LARGEST_P
from flatten_edu.functional import DEFAULT_P
from flatten_edu.labs.frame.settings import Rule, Setting, allows, number, refuse, wanted, whole
from flatten_edu.labs.frame.still import STATIC, still


def focusing_factor() -> Setting:
    """The trait p of a lab."""
    return number(float(DEFAULT_P), 1, LARGEST_P)


class Lab(anywidget.AnyWidget):
    """A lab: its traits are its whole state, and setting one from Python moves the picture.

    Raises:
        TypeError: an argument that the lab does not have; the message lists those it has.
        TraitError: a value that will not do, with what was wanted and what came.
    """

    lab: ClassVar[str]
    files: ClassVar[Mapping[str, Path]] = {}  # large files, by name, that the view fetches once a reader asks for them
    stills: ClassVar[Mapping[str, Mapping[str, Any]]] = {"first": {}}  # the settings of each view that is photographed
    width: ClassVar[int] = 688  # pixels that the book gives it on a wide screen
    hints: ClassVar[Mapping[str, str]] = {}  # by trait, a sentence for who gives it something else
    step = whole(0, 0, 3)  # the guided step that is shown, 0 for none
    _rules = t.Dict().tag(sync=True)  # of each setting, as it stands

    def __init_subclass__(cls, lab: str | None = None, **kwargs: Any) -> None:
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
        self.observe(self._keep_rules)

    @t.default("_rules")
    def _rules_at_first(self) -> dict[str, Rule]:
        return self.rules()

    def limits(self) -> dict[str, Rule]:
        """Rules that depend on what the lab holds, by setting: the parts that differ from what is declared."""
        return {}

    def rules(self) -> dict[str, Rule]:
        """The rule of each setting, in the lab as it stands."""
        limits = self.limits()
        declared = {name: trait.rule for name, trait in self.traits().items() if isinstance(trait, Setting)}
        return {name: rule | limits.get(name, {}) for name, rule in declared.items()}

    def within_limits(self, proposal: dict) -> Any:
        """For a lab with `limits`: its validator of the settings that they concern."""
        name, value = proposal["trait"].name, proposal["value"]
        rule = self.rules()[name]
        if not allows(rule, value):
            raise refuse(self, name, wanted(rule), value)
        return value

    def _keep_rules(self, change: dict) -> None:
        if change["name"] in self.own_traits():
            self._rules = self.rules()

    def _answer(self, widget: object, content: object, buffers: object) -> None:
        """Send a file that the view asks for; on a published page it lies beside the page instead."""
        name = content.get("file", "") if isinstance(content, dict) else ""
        if name in self.files:
            self.send({"file": name}, buffers=[self.files[name].read_bytes()])

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict, dict] | None:
        """Beside the live lab its photograph, for viewers that run no widget: GitHub's preview, an e-mail."""
        bundle = super()._repr_mimebundle_(**kwargs)
        picture = still(type(self), {name: getattr(self, name) for name in self.own_traits()})
        if bundle is not None:
            bundle[0]["image/png"] = picture.png()
            bundle[0]["text/plain"] = picture.alt if picture.exact else type(self).__name__
        return bundle

    @classmethod
    def words(cls) -> dict[str, Any]:
        """What leads a reader: the question, what to try first, three steps, what stays open, the next lab."""
        return json.loads((STATIC.parent / cls.lab / "words.json").read_text())

    @classmethod
    def own_traits(cls) -> list[str]:
        """The names of the traits that are the lab's state; the rest is the widget's machinery."""
        machinery = anywidget.AnyWidget.class_trait_names()
        return [trait for trait in cls.class_trait_names(sync=True) if trait not in machinery and trait[0] != "_"]


def split_state(lab: Lab) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A lab's own traits and the rules of its settings: those that JSON can hold, and those that are bytes."""
    traits = {trait: getattr(lab, trait) for trait in [*lab.own_traits(), "_rules"]}
    buffers = {trait: value for trait, value in traits.items() if isinstance(value, bytes)}
    return {trait: value for trait, value in traits.items() if trait not in buffers}, buffers
