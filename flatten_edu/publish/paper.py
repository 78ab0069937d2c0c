"""Sphinx extension: the paper's numbers on the book's pages, from the one file that holds them."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from flatten_edu.results import results


def quoted(path: str) -> str:
    """What the paper prints: `table_5/3` is a row's numbers, `table_3a/focused/parameters` is one of them.

    Raises:
        KeyError: no such table, row or column.
    """
    name, row, *column = path.split("/")
    table = results("paper")[name]
    rows = {str(first): [str(cell) for cell in cells] for first, *cells in table["rows"]}
    return dict(zip(table["columns"][1:], rows[row], strict=True))[column[0]] if column else ", ".join(rows[row])


class PaperRole(SphinxRole):
    """{paper}`table_5/3`: a number of the paper's, as text."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            return [nodes.Text(quoted(self.text))], []
        except KeyError as error:
            return [], [self.inliner.reporter.error(f"paper.json has no {error} of {self.text!r}", line=self.lineno)]


class PaperTable(SphinxDirective):
    """```{paper-table} table_5```: a table of the paper's, with its caption."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        paper = results("paper")
        if self.arguments[0] not in paper:
            raise self.error(f"paper.json has no table {self.arguments[0]!r}")
        table = paper[self.arguments[0]]
        rows = [[paper["names"].get(str(cell), str(cell)) for cell in row] for row in table["rows"]]
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in table["columns"]), cols=len(table["columns"]))
        group += nodes.thead("", _row(table["columns"]))
        group += nodes.tbody("", *map(_row, rows))
        return [nodes.paragraph(text=f"{table['caption']}."), nodes.table("", group, classes=["fe-paper-table"])]


def _row(cells: list[str]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    app.add_role("paper", PaperRole())
    app.add_directive("paper-table", PaperTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
