"""Level 4: training, on one machine or several, and evaluation."""

from flatten_edu.train.augment import rand_augment
from flatten_edu.train.card import write_card
from flatten_edu.train.evaluate import accuracy, predictions
from flatten_edu.train.loop import NonFiniteLoss, Run
from flatten_edu.train.recipe import Recipe
from flatten_edu.train.world import World

__all__ = ["NonFiniteLoss", "Recipe", "Run", "World", "accuracy", "predictions", "rand_augment", "write_card"]
