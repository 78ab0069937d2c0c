"""The directive `predict`: a question, then what follows as a folded answer."""

import json
import re
from pathlib import Path

import pytest

from flatten_edu.publish.predict import HIGHEST
from tests.publish.test_mount import build

CHOICE = """# Page

Before.

:::{predict} choice
Which of $a$ and $b$?

- the *first*
- the second, $b$
:::

The first. It is.

```{lab} focus
```

(place)=
## After

Not part of it.
"""
SECOND = ":::{predict} number <b> times\nHow many?\n:::\n\nTwelve.\n"
PAGES = {
    "index": "# Home\n\nText.\n",
    "choice": CHOICE,
    "two": CHOICE.replace("```{lab} focus\n```\n", SECOND),
    "curve": "# Page\n\n:::{predict} curve angle\nDraw it.\n:::\n\nSo.\n",
}
FAULTY = {
    ":::{predict} guess\nWhat?\n:::": "a choice, a number or a curve, not for 'guess'",
    ":::{predict} choice\nWhat?\n:::": "a list of two answers or more",
    ":::{predict} choice\n:::": "a list of two answers or more",
    ":::{predict} curve cosine\nWhat?\n:::": "the curve is called angle, not 'cosine'",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> tuple[Path, str]:
    """A small book, and what Sphinx complained about."""
    faulty = {f"faulty{i}.md": f"# Page\n\n{text}\n" for i, text in enumerate(FAULTY)}
    pages = {f"{name}.md": text for name, text in PAGES.items()} | faulty
    return build(tmp_path_factory.mktemp("book"), pages)


def page(book: tuple[Path, str], name: str) -> str:
    return (book[0] / f"{name}.html").read_text()


def parts(text: str, tag: str) -> list[str]:
    return re.findall(rf'<{tag} class="fe-.*?</{tag}>', text, flags=re.DOTALL)


def test_a_choice_has_a_radio_button_for_each_answer(book):
    (form,) = parts(page(book, "choice"), "form")
    assert "Which of" in form and "the <em>first</em>" in form and "The first. It is." not in form
    assert len(re.findall(r'<label><input type="radio"[^>]*required><span>', form)) == 2


def test_the_answer_reaches_to_the_next_heading_with_text_and_labs(book):
    (answer,) = parts(page(book, "choice"), "details")
    assert "The first. It is." in answer and 'data-lab="focus"' in answer
    assert "Not part of it." not in answer and "Before." not in answer


def test_a_second_prediction_ends_the_first_answer(book):
    first, second = parts(page(book, "two"), "details")
    assert "Twelve" not in first and "Twelve" in second and "How many" not in first + second
    assert (
        '<label>Your number: <input type="number" step="any" required> <span>&lt;b&gt; times</span>'
        in parts(page(book, "two"), "form")[1]
    )


def test_a_curve_holds_what_the_library_computes(book):
    (form,) = parts(page(book, "curve"), "form")
    given = json.loads(re.search(r'<script type="application/json">(.*?)</script>', form)[1])
    by_p = dict(map(tuple, given["curve"]))
    assert by_p[1] == pytest.approx(11.02, abs=0.01) and by_p[256] == pytest.approx(0, abs=0.01)
    assert max(by_p.values()) == pytest.approx(26.1, abs=0.1) and given["highest"] == HIGHEST > 43
    assert form.count('type="range"') == len(given["points"]) - 1


def test_only_pages_with_a_prediction_load_the_script(book):
    assert "predict." not in page(book, "index")
    text = page(book, "choice")
    assert "predict.css" in text and text.index("predict.js") < text.index("mount.js")  # folds open before labs start


def test_a_question_that_cannot_be_asked_is_an_error(book):
    assert [complaint for complaint in FAULTY.values() if complaint not in book[1]] == []
