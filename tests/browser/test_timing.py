"""The lab `timing` on the built page: real runs, stopped and resumed, saved and loaded, and what it says of them."""

import copy
import json

import numpy as np
import pytest
from playwright.sync_api import expect

from flatten_edu.bench import Record, crossover, fit_slope
from flatten_edu.bench.schema import check_record
from flatten_edu.labs import TimingLab
from flatten_edu.labs.timing.make_data import measure
from tests.browser.conftest import fragment
from tests.browser.in_page import COUNT_LISTENERS, COUNT_WORKERS
from tests.browser.test_twins import CALL
from tests.labs.test_timing import BROKEN, POINT_KEYS

PAGE = "book/labs/timing.html"
VARIANTS = ["softmax_written_out", "relu", "focused"]
FIT_FROM = 196
SHORT = fragment("timing", budget=1, d=32)  # the shortest run: a second or two


@pytest.fixture
def lab(reader):
    """The page, ready for a short run."""
    return reader().open(PAGE + SHORT)


def run_until_points_come(page):
    button(page, "Time it here").click()
    page.wait_for_function("document.querySelectorAll('.fe-own .fe-point').length > 3", timeout=60_000)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def state(page) -> str:
    return page.locator(".fe-state").inner_text()


def finish(page) -> dict:
    """Wait for the end of a run; its record, from the file that the lab saves."""
    page.get_by_text("Done: ").wait_for(timeout=120_000)
    return saved(page)


def saved(page) -> dict:
    with page.expect_download() as download:
        button(page, "Save your record (JSON)").click()
    assert download.value.suggested_filename.startswith("timing_js_d32_20")
    return json.loads(download.value.path().read_text())


def load(page, name: str, text: str) -> str:
    page.locator(".fe-file input").set_input_files(
        {"name": name, "mimeType": "application/json", "buffer": text.encode()}
    )
    page.wait_for_function("(name) => document.querySelector('.fe-message').textContent.startsWith(name)", arg=name)
    page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")  # its charts come after
    return page.locator(".fe-message").inner_text()


def expected(record, who, part=("core", "forward")) -> dict[str, float]:
    """What the lab reads off a record, by Python's bench."""
    curves = {name: Record.of(record).curve(*part, name) for name in VARIANTS}
    medians = {name: {n: point.median for n, point in curve.items()} for name, curve in curves.items()}
    found = {}
    for name, points in medians.items():
        if sum(n >= FIT_FROM for n in points) > 1:
            found[f"slope_{name}_{who}"] = fit_slope(points, smallest=FIT_FROM).exponent
    slow = VARIANTS[0]
    for fast in VARIANTS[1:]:
        last = max(medians[slow].keys() & medians[fast].keys())
        found[f"lead_{fast}_{who}"] = medians[slow][last] / medians[fast][last]
        seconds = ({n: point.seconds for n, point in curves[name].items()} for name in (fast, slow))
        found[f"cross_{fast}_{slow}_{who}"] = crossover(*seconds).n
    return found


def assert_shows(one, wanted):
    shown = one.outputs()
    assert {name: shown.get(name) for name in wanted} == pytest.approx(wanted, rel=1e-6)
    for name in wanted:
        if not name.startswith("lead"):
            assert shown[f"{name}_low"] <= shown[name] <= shown[f"{name}_high"]
    return shown


@pytest.mark.parametrize("d", [64, 32])
def test_the_first_view_is_the_shipped_record_s(reader, d):
    one = reader()
    page = one.open(PAGE + fragment("timing", d=d, uncovered=True))
    record = next(one for one in TimingLab().shipped if one["settings"]["head_dim"] == d)
    shown = assert_shows(one, expected(record, "beside"))
    assert not [name for name in shown if name.endswith("own")]
    text = page.locator(".fe-lab").inner_text()
    assert f"Measured elsewhere, on typed arrays, one thread of {record['device']['name']}, 2 cores" in text
    assert "Yours: none yet." in text


def test_the_answer_is_covered_until_there_is_a_guess(reader):
    one = reader()
    page = one.open(PAGE)
    covered = page.get_by_text("What another machine took is covered until then.")
    expect(covered).to_be_visible()
    assert not [name for name in one.outputs() if name.endswith("beside")]
    assert page.locator(".fe-point").count() == 0 and "Measured elsewhere" not in page.locator(".fe-lab").inner_text()
    page.get_by_role("slider", name="N, your guess").press("ArrowRight")
    one.frame()
    expect(covered).to_be_hidden()
    assert "slope_relu_beside" in one.outputs()
    page.get_by_role("button", name="Reset").click()
    one.frame()
    expect(covered).to_be_visible()
    page.get_by_role("button", name="Show the book's record").click()
    one.frame()
    assert "slope_relu_beside" in one.outputs() and page.locator(".fe-point").count() > 20


def test_a_reload_keeps_the_run_and_another_d_says_why_it_stopped(lab):
    run_until_points_come(lab)
    lab.get_by_role("slider", name="N, your guess").press("End")  # the page answers while it runs
    expect(lab.locator("text.fe-guessed")).to_have_text("your guess, 12544")
    lab.get_by_role("radio", name="64").check()
    lab.get_by_text("Stopped: d changed. What was measured stays below.").wait_for()
    lab.get_by_text("At d = 32: ").wait_for()
    points = saved(lab)["points"]
    lab.reload()
    lab.locator(".fe-own .fe-point").first.wait_for()
    assert saved(lab)["points"] == points


def test_a_record_of_twenty_thousand_points_is_drawn(reader):
    one = reader()
    page = one.open(PAGE)
    record = copy.deepcopy(TimingLab().shipped[0])
    shape = record["points"][0]
    record["points"] = [
        shape | {"variant": variant, "n": n, "seconds": [n * 1e-6] * 9, "median": n * 1e-6}
        for variant in VARIANTS for n in range(16, 6600)
    ]  # fmt: skip
    assert "is drawn beside your points" in load(page, "many.json", json.dumps(record))
    one.frame()
    assert one.outputs()["slope_relu_beside"] == pytest.approx(1)


def test_a_run_measures_and_its_record_is_what_python_reads(reader, measured):
    one = reader()
    lab = one.open(PAGE + fragment("timing", budget=5, d=32))
    button(lab, "Time it here").click()
    record = finish(lab)
    assert check_record(record) is record and record["made_by"] == "flatten_edu lab timing"
    assert set(record) == {"schema", "made_by", "date", "device", "versions", "settings", "ceilings", "points"}
    assert set(record["device"]) == {"kind", "name", "threads", "memory_bytes"} and record["device"]["kind"] == "js"
    assert record["versions"]["user_agent"] == lab.evaluate("navigator.userAgent")
    settings = record["settings"]
    wanted = {"what": "core", "dtype": "float32", "batch": 1, "heads": 1, "head_dim": 32, "passes": "forward", "p": 3}
    assert {name: settings[name] for name in wanted} == wanted and settings["repeats"] == 7
    assert settings["timer"] == "performance.now" and 0 < settings["tick_seconds"] < 0.2
    assert settings["least_seconds"] == pytest.approx(max(0.01, 50 * settings["tick_seconds"]), rel=0.01)
    for point in record["points"]:
        assert set(point) == POINT_KEYS and len(point["seconds"]) == 7 and point["error"] is None
        assert point["median"] == pytest.approx(np.median(point["seconds"]))
        assert point["quartiles"] == pytest.approx(np.quantile(point["seconds"], [0.25, 0.75]).tolist())
        assert point["bytes_moved"] == 16 * point["n"] * 32
    assert TimingLab(other=record).other == record
    wanted = expected(record, "own")
    assert_shows(one, wanted)
    assert len(wanted) == 7
    measured(
        "lab timing: a run of 5 seconds", f"{len(record['points'])} points, clock {settings['tick_seconds']:.0e} s"
    )


def counted(page) -> tuple[int, int]:
    words = state(page).replace("Stopped: ", "").replace("Done: ", "").split()
    return int(words[0]), int(words[2])


def test_a_run_is_stopped_and_goes_on_where_it_was(lab):
    button(lab, "Time it here").click()
    lab.wait_for_function("/^[1-9]\\d* of/.test(document.querySelector('.fe-state').textContent)", timeout=60_000)
    assert "left" in state(lab)
    expect(lab.get_by_role("progressbar", name="samples taken")).to_be_visible()
    button(lab, "Stop").click()
    lab.get_by_text("Stopped: ").wait_for()
    taken, _ = counted(lab)
    before = saved(lab)
    assert sum(len(point["seconds"]) for point in before["points"]) == taken > 0
    lab.wait_for_timeout(700)
    assert counted(lab)[0] == taken
    button(lab, "Go on").click()
    after = finish(lab)
    later = {(p["variant"], p["n"]): p["seconds"] for p in after["points"]}
    for point in before["points"]:
        assert later[point["variant"], point["n"]][: len(point["seconds"])] == point["seconds"]
    assert {len(seconds) for seconds in later.values()} == {7} and after["date"] == before["date"]


def test_other_settings_stop_it_and_the_earlier_record_is_kept_beside(lab):
    run_until_points_come(lab)
    lab.get_by_role("slider", name="p, focusing factor").press("ArrowRight")
    button(lab, "Time it again").wait_for()
    assert "p = 3" in lab.get_by_text("Yours: ").inner_text()
    earlier = saved(lab)
    button(lab, "Time it again").click()
    record = finish(lab)
    assert record["settings"]["p"] == 4 and earlier["settings"]["p"] == 3
    assert "p = 3" in lab.get_by_text("Your other record: ").inner_text()
    assert lab.get_by_role("radio", name="your other record").is_checked()
    lab.get_by_role("radio", name="the book's record").press("Space")
    lab.get_by_text("Measured elsewhere, on typed arrays").wait_for()
    button(lab, "Reset").click()
    assert "p = 4" in lab.get_by_text("Yours: ").inner_text()  # Reset sets the lab, and loses no measurement


def python_s(record) -> dict:
    """A record such as Python's bench writes: other variants, whole modules, a point that failed."""
    record = copy.deepcopy(record) | {"made_by": "flatten_edu bench"}
    record["device"] = {"kind": "cpu", "name": "Some Processor", "threads": 2, "memory_bytes": 16e9}
    record["versions"] = {"python": "3.11.7", "torch": "2.13.0", "flatten_edu": "0.1.0"}
    record["settings"] = {"what": "module", "dtype": "float32", "batch": 1, "heads": 3, "head_dim": 64, "repeats": 7}
    copies = []
    for point in record["points"]:
        point |= {"what": "module", "peak_bytes": 1000, "seconds": [s / 20 for s in point["seconds"]]}
        point["median"] = float(np.median(point["seconds"]))
        if point["variant"] == "softmax_written_out":
            copies.append(point | {"variant": "softmax"})
            copies.append(point | {"variant": "hydra"})
        copies.append(point | {"passes": "forward+backward"})
    failed = {"seconds": [], "median": None, "quartiles": None, "error": "out of memory: 9 GB"}
    copies.append(record["points"][0] | failed | {"n": 50176})
    record["points"] += copies
    return record


def test_a_record_of_python_s_is_drawn_beside(reader):
    one = reader()
    page = one.open(PAGE)
    record = python_s(TimingLab().shipped[0])
    assert load(page, "bench.json", json.dumps(record)) == "bench.json is drawn beside your points."
    shown = assert_shows(one, expected(record, "beside", ("module", "forward")))
    assert shown["slope_softmax_beside"] == pytest.approx(shown["slope_softmax_written_out_beside"])
    assert shown["cross_relu_softmax_beside"] == pytest.approx(shown["cross_relu_softmax_written_out_beside"])
    text = page.locator(".fe-origins").inner_text()
    assert "PyTorch on Some Processor, 2 threads" in text and "3 heads" in text
    assert "Drawn: module, forward." in text and "Not drawn: hydra." in text
    page.get_by_text("All points as a table").click()
    expect(page.locator(".fe-points").get_by_text("SDPA")).to_be_visible()


def test_a_record_of_variants_that_the_lab_does_not_draw_is_loaded_all_the_same(reader):
    one = reader()
    page = one.open(PAGE)
    record = python_s(TimingLab().shipped[0])
    for point in record["points"]:
        point["variant"] = "angular"
    load(page, "angular.json", json.dumps(record))
    expect(page.get_by_text("Not drawn: angular.")).to_be_visible()
    assert not [name for name in one.outputs() if name.endswith("beside")]


def test_the_table_of_all_points_fits_a_phone(reader):
    page = reader(viewport={"width": 375, "height": 740}, has_touch=True, is_mobile=True).open(PAGE)
    load(page, "bench.json", json.dumps(python_s(TimingLab().shipped[0])))  # with a fourth column
    page.get_by_text("All points as a table").click()
    page.locator(".fe-points table").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate(
        "(() => { const e = document.querySelector('.fe-lab'); return e.scrollWidth <= e.clientWidth; })()"
    )
    assert page.locator(".fe-points tbody tr").count() == 11


def test_the_tool_that_makes_the_shipped_records(browser):
    record = measure(browser.new_page(), 32, 1.0)
    assert check_record(record) is record and record["settings"]["budget_seconds"] == 1
    assert set(record) == set(TimingLab().shipped[0])


PARSE = """(text) => {
  try { lab.parseRecord(text); } catch (error) { return error.message; }
}"""


def test_a_broken_record_is_told_in_python_s_words(bare):
    broken = [copy.deepcopy(TimingLab().shipped[0]) for _ in BROKEN]
    for record, (change, _) in zip(broken, BROKEN, strict=True):
        change(record)
    texts = [json.dumps(record) for record in broken]
    found = bare("timing").evaluate(CALL, [PARSE, [[text] for text in texts]])
    for text, message, (_, words) in zip(texts, found, BROKEN, strict=True):
        assert words in message or ("NaN" in text and message == "it is not JSON")


def test_a_bad_file_is_refused_with_a_reason_and_nothing_is_lost(reader):
    one = reader()
    page = one.open(PAGE)
    load(page, "good.json", json.dumps(python_s(TimingLab().shipped[0])))
    before = one.outputs()
    for nth, text in enumerate(["", "no JSON", "[]", "null", "3", '{"schema": 1}', "{" * 1000]):
        message = load(page, f"{nth}.json", text)
        assert message.startswith(f"{nth}.json was not loaded: ") and "What was drawn before still is." in message
        assert one.outputs() == before


def test_without_an_adapter_webgpu_says_so(reader):
    page = reader().open(PAGE + fragment("timing", device="webgpu", budget=1, uncovered=True))
    button(page, "Time it here").click()
    page.locator(".fe-state[data-state=failed]").wait_for(timeout=60_000)
    assert "could not be timed here" in state(page) and "no adapter" in state(page)
    expect(page.get_by_text("Measured elsewhere, on typed arrays")).to_be_visible()


def test_without_webgpu_it_cannot_be_chosen(reader):
    one = reader()
    one.page.add_init_script("delete Navigator.prototype.gpu")
    page = one.open(PAGE)
    assert page.get_by_role("radio", name="WebGPU").is_disabled()
    expect(page.get_by_text("This browser gives this page no WebGPU.")).to_be_visible()


def test_a_run_on_webgpu_where_there_is_an_adapter(gpu, site, measured):
    """Debian's Chromium has one in software. Its shaders are checked against the typed arrays before they are timed."""
    page = gpu.new_page()
    page.goto(site + PAGE + fragment("timing", device="webgpu", d=32, budget=1, dwc=True))
    page.get_by_role("button", name="Time it here").click()
    page.wait_for_function("/^(Done|It could)/.test(document.querySelector('.fe-state').textContent)", timeout=300_000)
    said = state(page)
    if "no adapter" in said:
        pytest.skip(said)
    with page.expect_download() as download:
        button(page, "Save your record (JSON)").click()
    record = check_record(json.loads(download.value.path().read_text()))
    settings = record["settings"]
    assert record["device"]["kind"] == "webgpu" and record["device"]["name"] and settings["dwc"] is True
    assert settings["timer"] in ("timestamp-query", "onSubmittedWorkDone")
    assert 0 < settings["difference_from_typed_arrays"] < 1e-5
    assert {point["error"] for point in record["points"]} == {None}
    assert "largest entry" in page.locator(".fe-origins").inner_text()
    measured("lab timing, WebGPU: a run", f"{len(record['points'])} points on {record['device']['name']}")


@pytest.mark.parametrize(
    "script",
    [
        "window.Worker = class { constructor() { throw new Error('workers are forbidden here'); } };",
        "window.Worker = class { postMessage() { setTimeout(() => this.onerror(new Event('e'))); } terminate() {} }",
    ],
)
def test_a_page_without_workers_says_so(reader, script):
    one = reader()
    one.page.add_init_script(script)
    page = one.open(PAGE)
    button(page, "Time it here").click()
    page.locator(".fe-state[data-state=failed]").wait_for()
    assert "could not be timed here" in state(page)
    expect(button(page, "Time it here")).to_be_visible()


ABANDON = """
async () => {
  const host = document.querySelector(".fe-mount");
  const { mount } = await import(document.querySelector("script[src*='mount.js']").src);
  const twin = host.cloneNode();
  twin.append(host.querySelector("script[type='application/json']").cloneNode(true));
  document.body.append(twin);
  const count = () => [...left(), window.workers, addresses.size];
  const before = count();
  const unmount = await mount(twin);
  [...twin.querySelectorAll("button")].find((b) => b.textContent === "Time it here").click();
  while (!twin.querySelector(".fe-own .fe-point")) await new Promise((done) => setTimeout(done, 50));
  const during = count();
  unmount();
  const after = count();
  twin.remove();
  return [during, after].map((now) => now.map((number, i) => number - before[i]));
}
"""
COUNT_ADDRESSES = """
window.addresses = new Set();
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => { const url = createObjectURL.call(URL, blob); addresses.add(url); return url; };
URL.revokeObjectURL = (url) => { addresses.delete(url); revokeObjectURL.call(URL, url); };
"""


@pytest.fixture
def watched(reader):
    """The page, whose workers and addresses of blobs are counted."""
    one = reader()
    one.page.add_init_script(COUNT_LISTENERS + COUNT_WORKERS + COUNT_ADDRESSES)
    return one.open(PAGE + SHORT)


def test_a_lab_that_is_removed_while_it_runs_leaves_nothing_running(watched):
    during, after = watched.evaluate(ABANDON)
    assert during[0] > 5 and during[1:] == [1, 1, 1] and after == [0, 0, 0, 0]


def test_five_stops_in_a_row_leave_one_record_and_no_worker(watched):
    for _ in range(5):
        watched.locator(".fe-go").click()
        watched.wait_for_timeout(30)
        button(watched, "Stop").click()
        assert watched.evaluate("workers + addresses.size") == 0
