"""Sphinx extension: the `api` directive writes an entry for each public name of a package, from its docstring."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import is_dataclass
from types import ModuleType
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import signature, stringify_signature
from sphinx.writers.html5 import HTML5Translator

from flatten_edu.labs import Lab

PACKAGES = (
    "functional", "nn", "models", "analysis", "bench", "data", "results", "train", "experiments", "plot", "labs",
    "exercises",
)  # fmt: skip


class ApiDirective(SphinxDirective):
    """```{api} functional```: the package's public names, module by module in the order in which it imports them."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = importlib.import_module(f"flatten_edu.{self.arguments[0]}")
        text = StringList(["```{eval-rst}", *entries(package), "```"], package.__name__)
        node = nodes.Element()
        self.state.nested_parse(text, self.content_offset, node)
        return node.children


def entries(package: ModuleType) -> Iterable[str]:
    """A package's part of its page, in reStructuredText: each module's docstring, then the names that it defines."""
    yield from (f".. currentmodule:: {package.__name__}", "")
    names = list(package.__all__)
    modules = [module for name, module in sys.modules.items() if f"{name}.".startswith(f"{package.__name__}.")]
    for module in modules:
        comments = _comments(module)
        found = [name for name in names if name in comments or _defines(module, getattr(package, name))]
        if found and module is not package:
            yield from (".. container:: fe-module", "", *_indented(str(inspect.getdoc(module))), "")
        for name in found:
            names.remove(name)
            yield from (*_entry(name, getattr(package, name), comments.get(name)), "")


def _comments(module: ModuleType) -> dict[str, list[str]]:
    """The module's data that have a comment `#:`, and it."""
    documented = ModuleAnalyzer.for_module(module.__name__).find_attr_docs()
    return {name: lines for (owner, name), lines in documented.items() if not owner}


def _defines(module: ModuleType, value: object) -> bool:
    return callable(value) and value.__module__ == module.__name__


def _entry(name: str, value: object, comment: list[str] | None) -> Iterable[str]:
    if comment:
        return [f".. py:data:: {name}", "", *_indented("\n".join(comment))]
    return [f".. auto{'class' if inspect.isclass(value) else 'function'}:: {name}"]


def _indented(text: str) -> list[str]:
    return [f"   {line}" for line in text.splitlines()]


_MYST_ROLE = re.compile(r"(?<![_^\w])\{([\w:]+)\}`")  # not the end of a formula
_CODE = re.compile(r"(?<![`:])`(\w+)`(?!`)")


def as_rst(line: str) -> str:
    """A docstring's roles, written as in the book's pages, as Sphinx's; a public name links to its entry."""
    homes = {
        name: package for package in PACKAGES for name in importlib.import_module(f"flatten_edu.{package}").__all__
    }

    def link(match: re.Match) -> str:
        name = match[1]
        return f":py:obj:`{name} <flatten_edu.{homes[name]}.{name}>`" if name in homes else match[0]

    return _CODE.sub(link, _MYST_ROLE.sub(r":\1:`", line))


def lab_signature(lab: type[Lab]) -> str:
    """What a lab's constructor takes; traitlets puts another one in front of it, which takes anything."""
    own = signature(lab.__init__, bound_method=True)
    return stringify_signature(own, show_return_annotation=False, unqualified_typehints=True)


def _docstring(app: Sphinx, what: str, name: str, value: object, options: Any, lines: list[str]) -> None:
    lines[:] = map(as_rst, whole(lines))


def whole(lines: list[str]) -> list[str]:
    """A docstring's fields without those for types: napoleon takes the words before a first colon for one.

    In this project's docstrings they begin the sentence, and annotations say the types.
    """
    fields = (":type: ", ":rtype: ")
    begun = next((line.partition(": ")[2] for line in lines if line.startswith(fields)), None)
    rest = [line for line in lines if not line.startswith(fields)]
    if begun is None:
        return lines
    if any(line.startswith(":returns: ") for line in rest):
        return [line.replace(":returns: ", f":returns: {begun}: ", 1) for line in rest]
    return [f"{begun}: {rest[0]}", *rest[1:]]


def _signature(app: Sphinx, what: str, name: str, value: Any, *_: object) -> tuple[str, None] | None:
    if what == "class" and issubclass(value, Lab):
        return lab_signature(value), None
    dataclass = what == "class" and is_dataclass(value)
    if dataclass:
        text = stringify_signature(signature(value), show_return_annotation=False, unqualified_typehints=True)
        return text.replace("<factory>", "..."), None
    return None


# Sphinx writes parameters on lines of their own as a definition list without a term, which HTML does not allow.
_LINES = {"<dl>": '<span class="fe-parameters">', "<dd>": "<span>", "</dl>": "</span>", "</dd>": "</span>"}


def visit_parameters(translator: HTML5Translator, node: addnodes.desc_parameterlist) -> None:
    """Note where the parameters begin in the page."""
    node["begin"] = len(translator.body)
    HTML5Translator.visit_desc_parameterlist(translator, node)


def depart_parameters(translator: HTML5Translator, node: addnodes.desc_parameterlist) -> None:
    """Put elements in the place of those that must not stand there."""
    HTML5Translator.depart_desc_parameterlist(translator, node)
    text = "".join(translator.body[node["begin"] :])
    for wrong, right in _LINES.items():
        text = text.replace(wrong, right)
    translator.body[node["begin"] :] = [text]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("api", ApiDirective)
    app.add_node(addnodes.desc_parameterlist, override=True, html=(visit_parameters, depart_parameters))
    app.connect("autodoc-process-docstring", _docstring)
    app.connect("autodoc-process-signature", _signature)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
