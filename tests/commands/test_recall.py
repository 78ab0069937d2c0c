"""python -m flatten_edu recall: what it prints and writes, and what it says of bad settings."""

import json

import pytest
from safetensors.torch import load_file

from flatten_edu.__main__ import main
from flatten_edu.experiments import PAIRS, RecallModel, RecallSettings


def test_a_run_prints_a_line_a_size_and_can_be_read_back(tmp_path, capsys):
    kind = "--attention focused --p 2 --heads 4 --output-norm"
    assert main(f"recall {kind} --steps 2 --batch-size 2 --seed 3 --out {tmp_path}".split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in lines[1:]] == list(PAIRS)
    record = json.loads((tmp_path / "recall.json").read_text())
    assert (record["attention"], record["p"], record["heads"], record["seed"]) == ("focused", 2, 4, 3)
    assert len(record["losses"]) == 2 and set(record["tests"]) == {str(count) for count in PAIRS}
    model = RecallModel(RecallSettings("focused", p=2, heads=4, output_norm=True))
    model.load_state_dict(load_file(tmp_path / "recall.safetensors"))
    assert record["live_parameters"] == sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--attention nope", "there is no attention 'nope'"),
        ("--attention focused --heads 3", "num_heads that divides dim"),
        ("--attention focused --p 0", "finite focusing factor"),
        ("--attention dwc --steps 0", "recall needs steps of 1 or more, got 0"),
        ("--attention dwc --depth 0", "recall needs depth of 1 or more"),
        ("--attention dwc --dim 0", "recall needs dim of 1 or more"),
        ("--attention dwc --heads 0", "recall needs heads of 1 or more"),
        ("--attention dwc --lr 0", "needs lr > 0"),
        (f"--attention dwc --out={__file__}", "File exists"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options, said, capsys):
    assert main(["recall", *options.split()]) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1 and err.startswith("recall: ")
