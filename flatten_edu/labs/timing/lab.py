"""The lab `timing`: at which N does linear attention beat softmax, on this machine?"""

import json
from pathlib import Path
from typing import Any, ClassVar

import traitlets as t

from flatten_edu.bench.schema import check_record
from flatten_edu.functional import DEFAULT_P
from flatten_edu.labs.frame.lab import Lab
from flatten_edu.labs.frame.settings import choice, flag, number, refuse, whole

# Records measured in a browser elsewhere, one a head dimension: python -m flatten_edu.labs.timing.make_data.
SHIPPED = Path(__file__).parent / "data.json"
LARGEST_TIMED_P, LARGEST_BUDGET, LARGEST_N = 32, 3600, 12544


class TimingLab(Lab, lab="timing"):
    """Times attention in both orders in the browser that shows the lab: typed arrays or WebGPU, beside the page.

    `TimingLab(other="bench.json")` draws a record of `python -m flatten_edu bench`, or of this lab on another machine,
    beside the points that are measured here. What was measured is in `lab.own`.

    Traits:
        device: "js" for float32 arrays in one thread, "webgpu" for compute shaders.
        d: numbers a token has, 32 or 64. p: focusing factor, 1 to 32. dwc: whether the focused variant adds the
            depthwise convolution.
        budget: seconds that a run may take, about; 1 to 3600. The points that fit are measured.
        guess: the N at which you expect linear attention to pass softmax, 0 for no guess.
        own: the record that is measured here, or None. other: another record: a dict, the path of a file, or None.
        uncovered: whether the book's record is shown before there is a guess or a time of your own.
        beside: which record is drawn beside your own, "shipped" or "other"; "other" where one is given.
    """

    width: ClassVar = 928
    device = choice("js", "webgpu")
    d = choice(64, 32)
    p = number(float(DEFAULT_P), 1, LARGEST_TIMED_P)
    dwc = flag(False)
    budget = number(10.0, 1, LARGEST_BUDGET)
    guess = whole(0, 0, LARGEST_N)
    beside = choice("shipped", "other")
    uncovered = flag(False)
    own = t.Any(None, allow_none=True).tag(sync=True)
    other = t.Any(None, allow_none=True).tag(sync=True)
    shipped = t.List(t.Dict()).tag(sync=True)

    def __init__(self, **traits: object) -> None:
        given = {"beside": "other"} if traits.get("other") is not None else {}
        super().__init__(**(given | traits))

    @t.default("shipped")
    def _measured_elsewhere(self) -> list[dict[str, Any]]:
        return json.loads(SHIPPED.read_text()) if SHIPPED.exists() else []

    @t.validate("own", "other")
    def _a_record(self, proposal: dict) -> dict[str, Any] | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is None:
            return None
        try:
            return check_record(json.loads(Path(value).read_text()) if isinstance(value, str | Path) else value)
        except (OSError, ValueError) as error:
            raise refuse(self, name, f"a record of timings ({error})", str(value)[:60]) from None
