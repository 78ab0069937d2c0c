"""The lab `timing`: at which N does linear attention beat softmax, on this machine?"""

import json
from pathlib import Path
from typing import Any

import traitlets as t

from flatten_edu.labs.frame.lab import Lab, refuse
from flatten_edu.labs.timing.record import check_record

# Records measured in a browser elsewhere, one a head dimension: python -m flatten_edu.labs.timing.make_data.
SHIPPED = Path(__file__).parent / "data.json"
LARGEST_P, LARGEST_BUDGET, LARGEST_N = 32, 3600, 12544


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
        beside: which record is drawn beside your own, "shipped" or "other"; "other" where one is given.
    """

    device = t.Enum(["js", "webgpu"], "js").tag(sync=True)
    d = t.Enum([32, 64], 64).tag(sync=True)
    p = t.Float(3.0).tag(sync=True)
    dwc = t.Bool(False).tag(sync=True)
    budget = t.Float(10.0).tag(sync=True)
    guess = t.Int(0, min=0, max=LARGEST_N).tag(sync=True)
    beside = t.Enum(["shipped", "other"], "shipped").tag(sync=True)
    own = t.Any(None, allow_none=True).tag(sync=True)
    other = t.Any(None, allow_none=True).tag(sync=True)
    shipped = t.List(t.Dict()).tag(sync=True)

    def __init__(self, **traits: object) -> None:
        given = {"beside": "other"} if traits.get("other") is not None else {}
        super().__init__(**(given | traits))

    @t.default("shipped")
    def _measured_elsewhere(self) -> list[dict[str, Any]]:
        return json.loads(SHIPPED.read_text()) if SHIPPED.exists() else []

    @t.validate("p")
    def _p_in_range(self, proposal: dict) -> float:
        if not 1 <= proposal["value"] <= LARGEST_P:  # NaN fails too
            raise refuse(self, "p", f"a number from 1 to {LARGEST_P}", proposal["value"])
        return proposal["value"]

    @t.validate("budget")
    def _budget_in_range(self, proposal: dict) -> float:
        if not 1 <= proposal["value"] <= LARGEST_BUDGET:
            raise refuse(self, "budget", f"from 1 to {LARGEST_BUDGET} seconds", proposal["value"])
        return proposal["value"]

    @t.validate("own", "other")
    def _a_record(self, proposal: dict) -> dict[str, Any] | None:
        name, value = proposal["trait"].name, proposal["value"]
        if value is None:
            return None
        try:
            return check_record(json.loads(Path(value).read_text()) if isinstance(value, str | Path) else value)
        except (OSError, ValueError) as error:
            raise refuse(self, name, f"a record of timings ({error})", str(value)[:60]) from None
