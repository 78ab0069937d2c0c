"""TimingLab's traits and records: what they take, what they refuse."""

import copy
import json
import re
from pathlib import Path

import pytest
from traitlets import TraitError

from flatten_edu.bench import Record, crossover, fit_slope
from flatten_edu.bench.schema import check_record
from flatten_edu.functional import attention_cost
from flatten_edu.labs import TimingLab

ROOT = Path(__file__).parents[2]
VARIANTS = ("softmax_written_out", "relu", "focused")
POINT_KEYS = {
    "variant", "what", "passes", "n", "seconds", "median", "quartiles", "peak_bytes", "multiply_adds", "bytes_moved",
    "error",
}  # fmt: skip


@pytest.fixture
def record():
    return copy.deepcopy(TimingLab().shipped[0])


def test_the_first_view_has_a_record_for_each_head_dimension():
    lab = TimingLab()
    assert (lab.device, lab.d, lab.p, lab.own, lab.other, lab.beside) == ("js", 64, 3, None, None, "shipped")
    assert [one["settings"]["head_dim"] for one in lab.shipped] == [64, 32]
    for one in lab.shipped:
        assert check_record(one) is one and one["settings"]["p"] == 3 and one["device"]["kind"] == "js"


def test_the_shipped_records_are_whole(record):
    """Every variant at every N up to 12544, seven samples each, and the counts of `attention_cost`."""
    assert {point["n"] for point in record["points"]} >= {16, 49, 196, 784, 3136, 12544}
    for point in record["points"]:
        assert set(point) == POINT_KEYS and len(point["seconds"]) == 7 and point["error"] is None
        order = "qk_first" if point["variant"] == "softmax_written_out" else "kv_first"
        assert point["multiply_adds"] == attention_cost(point["n"], 64, order).multiply_adds


def test_takes_a_record_or_the_path_of_one_and_draws_it_beside(record, tmp_path):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record))
    for other in (record, path, str(path)):
        lab = TimingLab(other=other)
        assert lab.other == record and lab.beside == "other"
    assert TimingLab(other=record, beside="shipped").beside == "shipped"
    lab.other = None
    assert lab.other is None


def broken(record, change):
    record = copy.deepcopy(record)
    change(record)
    return record


BROKEN = [
    (lambda r: r.update(schema=2), '"schema" must be 1, and is 2'),
    (lambda r: r.pop("made_by"), '"made_by" must be a text'),
    (lambda r: r.update(device=[]), '"device" must be an object'),
    (lambda r: r["device"].pop("kind"), 'device "kind" must be a text'),
    (lambda r: r.update(points=[]), '"points" must be a list that is not empty'),
    (lambda r: r["points"].append(3), "must be an object"),
    (lambda r: r["points"][2].update(n=0), 'point 3: "n" must be a whole number from 1, and is 0'),
    (lambda r: r["points"][0].update(seconds=[1, -1]), 'point 1: "seconds" must be a list of numbers above 0'),
    (lambda r: r["points"][0].update(seconds=[float("nan")]), 'point 1: "seconds" must be a list of numbers above 0'),
    (lambda r: r["points"][1].update(error="lost"), "point 2: it must have either times or an error"),
    (lambda r: r["points"][1].update(seconds=[], error="lost"), 'point 2: "median" must be null'),
    (lambda r: r["points"][1].update(median=None), 'point 2: "median" must be a number above 0'),
    (lambda r: r["points"][1].update(variant=None), 'point 2: "variant" must be a text'),
]


@pytest.mark.parametrize(("change", "words"), BROKEN)
def test_a_broken_record_is_refused_and_what_was_there_stays(record, change, words):
    lab = TimingLab(other=record)
    with pytest.raises(TraitError, match=r"TimingLab needs other to be a record of timings") as refused:
        lab.other = broken(record, change)
    assert words in str(refused.value) and lab.other == record


def test_a_point_that_failed_is_a_point(record):
    record["points"][3].update(seconds=[], median=None, quartiles=None, error="out of memory: 9 GB")
    assert TimingLab(own=record).own == record


def test_the_numbers_on_the_lab_s_page_are_those_of_its_records():
    page = (ROOT / "book" / "labs" / "timing.md").read_text()
    wide, narrow = (
        {name: r.curve("core", "forward", name) for name in VARIANTS} for r in map(Record.of, TimingLab().shipped)
    )
    for curves, told in (
        (wide, r"\$d = 64\$: linear .* from \$N = (\d+)\$ on \((\d+)–(\d+)\), focused .* (\d+) on \((\d+)–(\d+)\)"),
        (narrow, r"\$d = 32\$: from (\d+) on \((\d+)–(\d+)\)"),
    ):
        numbers = [int(number) for number in re.search(told, page).groups()]
        for name, (at, low, high) in zip(("relu", "focused"), zip(*[iter(numbers)] * 3, strict=True), strict=False):
            fast, slow = ({n: point.seconds for n, point in curves[one].items()} for one in (name, VARIANTS[0]))
            found = crossover(fast, slow)
            assert at == round(found.n)
            assert (low, high) == pytest.approx((found.low, found.high), rel=0.1)  # 200 draws there, 2000 here
    slopes = [fit_slope({n: p.median for n, p in wide[name].items()}, smallest=196).exponent for name in VARIANTS]
    assert [float(x) for x in re.search(r"slopes (\S+) .*?, (\S+) for linear and", page).groups()] == [
        round(x, 2) for x in slopes[:2]
    ]
    assert round(slopes[1], 2) == round(slopes[2], 2)
    last = {name: wide[name][12544].median for name in VARIANTS}
    times = re.search(r"softmax takes (\d+) times .* attention, (\d+) times", page).groups()
    assert [int(x) for x in times] == [round(last["softmax_written_out"] / last[name]) for name in ("relu", "focused")]
