"""Records: round trips, what is derived, what is refused, and two side by side."""

import json
import re
from pathlib import Path

import pytest

from flatten_edu.bench import Point, Record, compare, crossovers, memory, report, roofline, times
from flatten_edu.results import results

SIZES = (196, 784, 3136, 12544)
BOOK = Path(__file__).parents[2] / "flatten_edu" / "results" / "bench"
SETTINGS = {"dtype": "float32", "batch": 2, "heads": 3, "head_dim": 64, "smallest": 784}
DEVICE = {"kind": "cpu", "name": "a processor", "threads": 2, "memory_bytes": None}


def point(variant, n, seconds, what="module", passes="forward", **more):
    """Three repeats, 10 % apart."""
    given = {"multiply_adds": 10**6 * n, "bytes_moved": 1000 * n, "peak_bytes": 100 * n} | more
    return Point(variant, what, passes, n, [seconds * s for s in (0.9, 1.0, 1.1)] if seconds else [], **given)


def made(points=None, **changes):
    """Softmax in the square of N, focused attention linear; they cross at N = 1000."""
    points = points or [
        *(point("softmax", n, 1e-9 * n**2) for n in SIZES),
        *(point("focused_dwc", n, 1e-6 * n) for n in SIZES),
        *(point("deit_tiny", n, 1e-8 * n**2, "model", pixels=p) for n, p in ((197, 224), (785, 448))),
        *(point("flatten_deit_tiny", n, 1e-5 * n, "model", pixels=p) for n, p in ((197, 224), (785, 448))),
        point("softmax_written_out", 12544, None, error="out of memory: too much"),
    ]
    values = {
        "made_by": "a test",
        "date": "2026-11-23T01:02:03Z",
        "device": DEVICE,
        "versions": {"torch": "2.13.0"},
        "settings": SETTINGS,
        "ceilings": {"flops_per_s": 1e12, "bytes_per_s": 1e9},
    } | changes
    return Record(points=points, **values)


def test_round_trip(tmp_path):
    record = made(stopped=True)
    record.write(tmp_path / "r.json")
    assert Record.read(tmp_path / "r.json") == record
    assert not list(tmp_path.glob("*.part"))


def test_the_json_is_the_schemas_and_has_what_readers_need_not_compute(tmp_path):
    made().write(tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text()
    assert "NaN" not in text and "Infinity" not in text
    values = json.loads(text)
    assert values["schema"] == 1 and set(values) >= {"made_by", "date", "device", "versions", "settings", "ceilings"}
    first = values["points"][0]
    assert first["seconds"] == [0.9 * first["median"], first["median"], 1.1 * first["median"]]
    assert first["quartiles"] == pytest.approx([0.95 * first["median"], 1.05 * first["median"]])
    failed = values["points"][-1]
    assert (failed["seconds"], failed["median"], failed["quartiles"]) == ([], None, None)
    assert failed["error"] == "out of memory: too much"


def test_slopes_are_of_time_and_memory_from_the_smallest_size_on():
    wanted = ("module", "forward", "focused_dwc")
    assert made().slope(*wanted).exponent == pytest.approx(made().slope(*wanted, "peak_bytes").exponent) == 1
    assert made().slope(*wanted).smallest == 784 and made(settings={}).slope(*wanted).smallest == 196


BROWSERS = {
    "schema": 1,
    "made_by": "flatten_edu lab timing",
    "date": "2026-11-23T01:02:03Z",
    "device": {"kind": "js", "name": "a browser", "threads": None, "memory_bytes": None},
    "versions": {"user_agent": "Mozilla/5.0"},
    "settings": {"what": "core", "dtype": "float32", "batch": 1, "heads": 1, "head_dim": 64, "passes": "forward"},
    "ceilings": None,
    "points": [
        {"variant": name, "what": "core", "passes": "forward", "n": n, "seconds": [n * 1e-6, n * 2e-6],
         "median": n * 1.5e-6, "quartiles": [n * 1.25e-6, n * 1.75e-6], "peak_bytes": None, "multiply_adds": n,
         "bytes_moved": n, "error": None, "of_the_browser": 1}
        for name in ("softmax", "focused_dwc", "of_the_future") for n in (64, 256)
    ],
}  # fmt: skip


def test_the_browsers_export_is_read_and_printed(tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(BROWSERS))
    record = Record.read(tmp_path / "b.json")
    assert record.points[0].median == pytest.approx(96e-6) and record.device["kind"] == "js"
    text = report(record)
    assert "of_the_future" in text and "user_agent Mozilla/5.0" in text and "ceilings" not in text
    compare(record, record)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", r"f\.json is not JSON: Expecting value"),
        ("\x00\x01", "is not JSON"),
        ('"a"', "is no record"),
        ('{"runs": []}', 'is no record of a benchmark: "schema" must be 1, and is None'),
        (json.dumps(BROWSERS | {"points": [{"variant": "a"}]}), 'point 1: "what" must be a text'),
    ],
)
def test_what_is_no_record(tmp_path, readers_view, text, said):
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        Record.read(path)


def test_a_file_that_is_not_there():
    with pytest.raises(OSError, match=r"none\.json"):
        Record.read("none.json")


def cells(table: str) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in (re.split(r"\s{2,}", line) for line in table.splitlines())}


def test_tables_say_what_the_points_say():
    record = made()
    found = cells(times(record, "module", "forward", spread=False))
    assert found["N"] == ["196", "784", "3136", "12544", "exponent"]
    assert found["focused, ours"] == ["0.196", "0.784", "3.14", "12.5", "1.00 ±0.00"]
    assert found["softmax (SDPA)"] == ["0.038", "0.615", "9.83", "157", "2.00 ±0.00"]
    assert found["softmax, written out"] == ["-"] * 5
    assert "3.14 ±0.16" in times(record, "module", "forward", ["focused_dwc"])
    assert cells(memory(record, "module", "forward", ["focused_dwc"]))["focused, ours"][:4] == [
        "0.020", "0.078", "0.314", "1.25",
    ]  # fmt: skip
    # 1e6 multiply-adds a token at 1e12 flop/s take 2 microseconds, 1000 bytes at 1e9 one: it takes 1.
    assert cells(roofline(record, "module", "forward", ["focused_dwc"]))["focused, ours"] == ["0.50|1.0"] * 4
    models = cells(times(record, "model", "forward"))
    assert models["pixels"] == ["224", "448"] and models["FLatten-DeiT-T"] == ["1015", "255"]  # two images a batch
    assert crossovers(record, "module", "forward")[0].startswith("focused_dwc beats softmax from N = 1000 on (")


def test_the_report_fits_the_terminal_and_leaves_nothing_out():
    record = made(
        [point("focused_dwc", n, 1e-6 * n, passes=p) for p in ("forward", "both") for n in range(49, 2000, 60)]
    )
    record.points.append(point("softmax_written_out", 12544, None, error="out of memory: " + "very much " * 30))
    record.stopped = True
    text = report(record)
    assert max(map(len, text.splitlines())) <= 100
    assert all(str(n) in text for n in range(49, 2000, 60))
    assert "not measured:" in text and "very much" in text and "The run was stopped" in text
    assert "1000 Gflop/s" in text and "a processor, 2 threads" in text


def test_compare_shows_common_points_and_their_ratio():
    a = made()
    b = made([point("focused_dwc", n, 5e-7 * n) for n in SIZES] + [point("hydra", 784, 1.0)])
    lines = compare(a, b).splitlines()
    rows = [line for line in lines if "focused, ours" in line]
    assert len(rows) == 4 and all(row.endswith("2.0") for row in rows) and "3136       3.136       1.568" in rows[2]
    assert lines[-1] == "9 points are in one record only." and "not made alike" not in lines[0]
    assert max(map(len, lines)) <= 100


def test_compare_warns_where_times_cannot_be_compared():
    other = made(
        device={**DEVICE, "kind": "cuda", "name": "a GPU", "threads": None},
        versions={"torch": "2.9.0", "triton": "3"},
        settings={**SETTINGS, "dtype": "bfloat16"},
    )
    found = compare(made(), other)
    assert "dtype: float32 | bfloat16" in found and "device's name: a processor | a GPU" in found
    assert "version of torch: 2.13.0 | 2.9.0" in found and "version of triton: None | 3" in found
    assert found.startswith("The two were not made alike")


def test_nothing_in_common():
    with pytest.raises(ValueError, match="have no point in common"):
        compare(made(), made([point("hydra", 784, 1.0)]))


BOOKS = sorted(path.stem for path in BOOK.glob("*.json"))


@pytest.mark.parametrize("name", BOOKS)
def test_a_record_of_the_book_is_whole(name):
    """It has what the chapter reads."""
    values = results(f"bench/{name}")
    record = Record.of(values)
    assert not record.stopped and record.ceilings
    assert record.as_json() == values
    for variant in ("softmax", "focused_dwc"):
        assert record.slope("module", "forward", variant).smallest == 784


def test_the_book_has_a_cpus_record():
    assert "cpu" in BOOKS
