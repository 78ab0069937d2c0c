"""A function's source as it stands in its file, with a remark beside each few lines."""

import ast
import html
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import cast

_ROW = "display: flex; flex-wrap: wrap; gap: 0 1rem; border-top: 1px solid #7a828c66; padding: 0.4rem 0"
_CODE = "flex: 2 1 24rem; min-width: 0; margin: 0; padding: 0; border: 0; background: none; white-space: pre-wrap"
_TEXT = "flex: 1 1 14rem; margin: 0"


class AnnotatedSource:
    """Shown by a notebook as a table of code and remarks; on a narrow screen a remark stands below its lines.

    Args:
        function: what is printed, without its signature and its docstring.
        remarks: by the beginning of a line the remark on it, and on all lines to the next remark.

    Raises:
        ValueError: no line begins so, the order is another one, or the first lines have no remark.
    """

    def __init__(self, function: Callable[..., object], remarks: Mapping[str, str]):
        self.parts: list[tuple[str, str]] = []  # lines of code, and their remark
        begins = list(remarks)
        for line in body_lines(function):
            if begins and line.strip().startswith(begins[0]):
                self.parts.append((line, remarks[begins.pop(0)]))
            elif self.parts:
                self.parts[-1] = (f"{self.parts[-1][0]}\n{line}", self.parts[-1][1])
            else:
                raise ValueError(f"AnnotatedSource has no remark on {line.strip()!r}")
        if begins:
            raise ValueError(f"AnnotatedSource finds no line in {function.__name__} that begins {begins[0]!r}")

    def _repr_html_(self) -> str:
        rows = (
            f'<div style="{_ROW}"><pre style="{_CODE}">{_hanging(code)}</pre><p style="{_TEXT}">{remark}</p></div>'
            for code, remark in self.parts
        )
        return f'<div class="fe-source">{"".join(rows)}</div>'


def _hanging(code: str) -> str:
    """Lines of code, each a block: what a narrow screen wraps stands further in than its line."""
    lines = ((len(line) - len(line.lstrip()) + 4, html.escape(line)) for line in code.splitlines())
    return "".join(
        f'<span style="display: block; padding-left: {n}ch; text-indent: -{n}ch">{s}</span>' for n, s in lines
    )


def body_lines(function: Callable[..., object]) -> list[str]:
    """The lines of a function after its signature and docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = cast(ast.FunctionDef, ast.parse(source).body[0])
    first = definition.body[1 if ast.get_docstring(definition) else 0]
    return textwrap.dedent("\n".join(source.splitlines()[first.lineno - 1 :])).splitlines()
