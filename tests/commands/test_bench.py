"""python -m flatten_edu bench: a small run from end to end, Ctrl-C, wrong options, and two records compared."""

import json
import re
import subprocess
import sys

import pytest
import torch

from flatten_edu.__main__ import main
from flatten_edu.bench import Record, clock
from flatten_edu.bench.settings import compiler

SIZES = "--device cpu --what module --variants softmax focused_dwc --tokens 9 16 25 --heads 1 --head-dim 8"
SMALL = SIZES.split()
QUICK = ["--seconds", "0.01", "--smallest", "9"]


@pytest.fixture(autouse=True)
def quick_ceilings(monkeypatch):
    monkeypatch.setattr(clock, "ceilings", lambda device, dtype: {"flops_per_s": 1e12, "bytes_per_s": 1e11})


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run's folder."""
    folder = tmp_path_factory.mktemp("bench")
    assert main(["bench", *SMALL, *QUICK, "--passes", "forward", "--out", str(folder / "sub" / "small.json")]) == 0
    return folder / "sub"


def test_it_writes_a_record_and_a_plot(written):
    assert {path.name for path in written.iterdir()} == {"small.json", "small.png", "small.svg"}
    assert (written / "small.png").read_bytes().startswith(b"\x89PNG")
    assert "focused, ours" in (written / "small.svg").read_text()
    record = Record.read(written / "small.json")
    wanted = {(variant, "forward", n) for variant in ("softmax", "focused_dwc") for n in (9, 16, 25)}
    assert {(p.variant, p.passes, p.n) for p in record.points} == wanted
    assert all(len(p.seconds) >= 5 and p.peak_bytes > 0 and p.error is None for p in record.points)
    assert not record.stopped and record.settings["head_dim"] == 8


def test_it_prints_the_tables(tmp_path, capsys):
    out = tmp_path / "r.json"
    assert main(["bench", *SMALL, *QUICK, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 100 + len(str(tmp_path))
    for part in (
        "module, forward: milliseconds",
        "peak memory",
        "focused_dwc beats softmax",
        "exponent",
    ):
        assert part in shown
    assert shown.endswith(f"written: {out}, and its plot as .png and .svg\n")


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_compiled_variants_are_timed(tmp_path):
    """In a process of its own: the shape checker of these tests is nothing that a compiler can read."""
    options = ["--device", "cpu", "--what", "module", "--variants", "focused_dwc_compiled", "published_compiled"]
    options += ["--tokens", "9", "16", "--heads", "1", "--head-dim", "8", *QUICK, "--out", str(tmp_path / "r.json")]
    ran = subprocess.run([sys.executable, "-m", "flatten_edu", "bench", *options], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    points = Record.read(tmp_path / "r.json").points
    assert len(points) == 8 and all(len(p.seconds) >= 5 and p.error is None for p in points)


def test_by_default_a_run_replaces_none_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *SMALL, *QUICK, "--passes", "forward", "--tokens", "9", "16"]) == 0
    (found,) = tmp_path.glob("*.json")
    assert re.fullmatch(r"bench_cpu_\d{8}_\d{6}\.json", found.name)


def test_ctrl_c_keeps_what_was_measured(tmp_path, capsys, monkeypatch):
    taken = []

    def seconds_of(call, times, device):
        taken.append(call())
        if len(taken) > 60:
            raise KeyboardInterrupt
        return 0.01

    monkeypatch.setattr(clock, "seconds_of", seconds_of)
    out = tmp_path / "r.json"
    assert main(["bench", *SMALL, "--out", str(out)]) == 130
    record = Record.read(out)
    assert record.stopped and 0 < len(record.points) < 12
    said = capsys.readouterr()
    assert "The run was stopped" in said.out and str(out) in said.out
    assert said.err == "\nbench: stopped\n"


def test_ctrl_c_before_the_first_point(tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(clock, "ceilings", stop)
    assert main(["bench", *SMALL, "--out", str(tmp_path / "r.json")]) == 130
    assert json.loads((tmp_path / "r.json").read_text())["stopped"] is True
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--variants fokused", "there is no variant 'fokused'; there are angular, efficient, focused_dwc, "),
        ("--device tpu", "PyTorch finds no tpu device here; there is cpu"),
        ("--budget -1", "bench needs budget above 0, got -1.0"),
        ("--out r.txt", "--out is the record's file and ends in .json, got r.txt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, capfd, monkeypatch, readers_view, options, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert main(["bench", *options.split()]) == 1
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("bench: ") and said in err
    assert not list(tmp_path.iterdir())


def test_numbers_that_are_none_are_argparse_s(capfd):
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "--tokens", "many"])
    assert "invalid int value: 'many'" in capfd.readouterr().err


def test_windows_that_do_not_fit_are_a_point(tmp_path, capsys):
    options = ["--device", "cpu", "--what", "module", "--passes", "forward", "--variants", "window"]
    options += ["--tokens", "49", "50"]
    assert main(["bench", *options, *QUICK, "--out", str(tmp_path / "r.json")]) == 0
    good, bad = Record.read(tmp_path / "r.json").points
    assert good.error is None and "a grid of 5 x 10 tokens is not made of whole 7 x 7 windows" in bad.error
    assert "not measured:" in capsys.readouterr().out


def test_compare(written, tmp_path, capsys):
    first = str(written / "small.json")
    values = json.loads((written / "small.json").read_text())
    values["settings"]["dtype"] = "bfloat16"
    (tmp_path / "other.json").write_text(json.dumps(values))
    assert main(["bench", "compare", first, str(tmp_path / "other.json")]) == 0
    shown = capsys.readouterr().out
    assert shown.count("focused, ours") == 3 and "dtype: float32 | bfloat16" in shown
    (tmp_path / "bad.json").write_text("{")
    known = "there are ablation, bench/cpu"
    for other, said in [("bad.json", "is not JSON"), ("none.json", "none.json"), ("bench", known)]:
        assert main(["bench", "compare", first, str(tmp_path / other) if ".json" in other else other]) == 1
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1


def test_the_book_s_record_is_compared_by_its_name(capsys):
    assert main(["bench", "compare", "bench/cpu", "bench/cpu"]) == 0
    assert "FLatten-DeiT-T" in capsys.readouterr().out


def test_the_defaults_of_the_command_are_the_settings(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["bench", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(49 196 256 400 576 784 3136 12544)" in shown and "(224 448 672 896)" in shown and "(module model)" in shown
