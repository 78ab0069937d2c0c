"""The API page: every public name has an entry, and nothing is left out in silence."""

import doctest
import importlib
import io
import pkgutil
import re
from pathlib import Path

import pytest

import flatten_edu
from flatten_edu.labs import FocusLab, RankLab
from flatten_edu.publish.api import PACKAGES, as_rst, entries, lab_signature, whole

PAGES = Path(__file__).parents[2] / "book" / "api"


def public(package: str) -> list[str]:
    return importlib.import_module(f"flatten_edu.{package}").__all__


def test_every_package_with_public_names_is_on_the_page():
    packages = [module.name for module in pkgutil.iter_modules(flatten_edu.__path__) if module.ispkg]
    named = {name for name in packages if hasattr(importlib.import_module(f"flatten_edu.{name}"), "__all__")}
    assert set(PACKAGES) == named


@pytest.mark.parametrize("package", PACKAGES)
def test_each_name_has_one_entry(package):
    text = "\n".join(entries(importlib.import_module(f"flatten_edu.{package}")))
    directives = [line.split(":: ") for line in text.splitlines() if line.startswith((".. auto", ".. py:data"))]
    assert sorted(name for _, name in directives) == sorted(public(package))


def test_roles_and_names_become_sphinx_s():
    line = "Book: {ref}`lab-proof`. See `focused_map`, not ``focused_map``, and `x[0]` of `Fixes`."
    assert as_rst(line) == (
        "Book: :ref:`lab-proof`. See :py:obj:`focused_map <flatten_edu.functional.focused_map>`, not ``focused_map``,"
        " and `x[0]` of :py:obj:`Fixes <flatten_edu.analysis.Fixes>`."
    )


def test_the_end_of_a_formula_is_no_role():
    assert as_rst(":math:`S_i = s_{ij}`, see {ref}`lab-proof`") == ":math:`S_i = s_{ij}`, see :ref:`lab-proof`"


@pytest.mark.parametrize(
    ("split", "joined"),
    [
        (["no head, the class token", "", ":type: 0"], ["0: no head, the class token", ""]),
        ([":returns: what it gives", ":rtype: The model"], [":returns: The model: what it gives"]),
        ([":param p: 3", ":type p: int"], [":param p: 3", ":type p: int"]),
    ],
)
def test_words_before_a_colon_are_no_type(split, joined):
    assert whole(split) == joined


def test_a_lab_s_signature_is_its_own():
    assert lab_signature(RankLab).startswith("(q: ~typing.Any = None, k: ")
    assert lab_signature(FocusLab) == "(**traits: object)"


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_a_page_s_example_prints_what_it_says(page):
    blocks = re.findall(r"```pycon\n(.*?)```", page.read_text(), flags=re.DOTALL)
    runner = doctest.DocTestRunner()
    for block in blocks:
        found = io.StringIO()
        example = doctest.DocTestParser().get_doctest(block, {}, page.stem, str(page), 0)
        runner.run(example, out=found.write)
        assert runner.failures == 0, found.getvalue()


def test_each_package_has_one_page_with_its_entries():
    assert {page.stem for page in PAGES.glob("*.md")} == set(PACKAGES)
    for package in PACKAGES:
        text = (PAGES / f"{package}.md").read_text()
        assert (
            text.startswith(f"(api-{package})=")
            and text.count("```{api}") == text.count(f"```{{api}} {package}\n") == 1
        )
