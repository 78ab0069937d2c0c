"""The table of a model's blocks."""

from flatten_edu.models import count_parameters, describe, flatten_deit_tiny


def test_the_table_adds_up():
    model = flatten_deit_tiny(attention=["focused_dwc"] * 4 + ["softmax"] * 8)
    table = describe(model)
    numbers = [int(line.split()[-1].replace(",", "")) for line in table.splitlines()[2:]]
    assert "blocks 0-3, each   focused_dwc" in table and "blocks 4-11, each  softmax" in table
    assert 4 * numbers[0] + 8 * numbers[1] + numbers[2] == numbers[3] == count_parameters(model)
