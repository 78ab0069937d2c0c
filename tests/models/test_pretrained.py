"""The models that come with the library: each is what its card says."""

import pytest
import torch
from safetensors.torch import load_file

from flatten_edu.data import cifar10_samples
from flatten_edu.models import card, count_parameters, pretrained, pretrained_names
from flatten_edu.models.pretrained import WEIGHTS
from flatten_edu.train import Recipe, predictions

# The classes that the models gave to the 20 sample images when they had been trained, by the accuracy's own function.
GIVEN = {
    "deit_cifar10_linear": [0, 8, 1, 1, 4, 1, 3, 5, 2, 4, 3, 5, 6, 6, 7, 7, 8, 8, 9, 9],
    "deit_cifar10_softmax": [8, 5, 1, 1, 4, 3, 5, 5, 4, 3, 3, 5, 4, 6, 7, 6, 8, 8, 9, 9],
    "flatten_deit_cifar10_dwc_only": [0, 0, 1, 1, 9, 3, 3, 5, 4, 4, 5, 5, 6, 6, 7, 7, 1, 8, 9, 9],
    "flatten_deit_cifar10_focused": [0, 8, 1, 1, 4, 3, 3, 5, 2, 4, 5, 5, 6, 6, 7, 7, 1, 8, 9, 9],
    "flatten_deit_cifar10_focused_without_dwc": [0, 0, 1, 1, 7, 3, 5, 3, 2, 4, 3, 5, 6, 6, 7, 6, 8, 8, 9, 9],
}


def test_the_five_of_the_ablation_are_there():
    assert set(GIVEN) <= set(pretrained_names())


@pytest.mark.parametrize("name", GIVEN)
def test_the_samples_are_seen_as_they_were(name):
    given, _ = predictions(pretrained(name), cifar10_samples(), torch.arange(20))
    assert given.tolist() == GIVEN[name]


@pytest.mark.parametrize("name", pretrained_names())
def test_the_card_tells_the_truth(name):
    known, model = card(name), pretrained(name)
    assert not model.training
    assert known["name"] == name
    assert known["parameters"] == count_parameters(model)
    assert known["test_images"] == 10_000 and 0.5 < known["accuracy"] < 1
    assert Recipe(**known["recipe"]).epochs == known["recipe"]["epochs"]
    assert known["command"].startswith("python -m flatten_edu train --attention " + known["config"]["attention"])


def test_weights_are_half_precision_and_small():
    files = list(WEIGHTS.glob("*.safetensors"))
    assert sum(path.stat().st_size for path in files) <= 16e6
    for path in files:
        stored = load_file(path)
        for name, parameter in pretrained(path.stem).state_dict().items():
            assert stored[name].dtype == torch.float16 and torch.equal(parameter, stored[name].float())


def test_a_wrong_name_lists_the_right_ones():
    with pytest.raises(ValueError, match="flatten_deit_cifar10_focused"):
        pretrained("flatten_deit")
