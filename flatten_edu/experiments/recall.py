"""Recall on a grid: D cells hold a key and a symbol, D others ask for the symbol of a key that stands far away.

Every cell has a random key, drawn anew for each sequence, so that nothing can be learned by heart. A stored cell has a
symbol too. An asking cell has the key of its partner, and no symbol. All other cells have a key that nobody asks for.
Partners stand at least six rows or six columns apart: two convolutions of 5 x 5 reach four.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from flatten_edu.analysis import capture, entropy_bits, rank_summary
from flatten_edu.functional import DEFAULT_P
from flatten_edu.nn import ATTENTIONS, Block, Mlp, make_attention
from flatten_edu.results import results
from flatten_edu.train import Recipe

GRID = (14, 14)
CELLS = GRID[0] * GRID[1]
APART = 6  # rows or columns between partners, at least
KEY, SYMBOLS = 32, 64  # numbers of a key; symbols, of which one is the answer: chance is 1 / 64
#: D, pairs of a sequence: a step of the training draws one of them, the test takes each.
PAIRS = (4, 8, 16, 32, 64, 96)
LAYOUTS = 2048  # ways of pairing the cells, from which a run draws
NO_ANSWER = -100  # the label that cross entropy leaves out


@dataclass(frozen=True)
class RecallSettings:
    """A model and its training. The attention's kind and p are what is compared; the rest stays the same.

    Raises:
        ValueError: steps, blocks, features or heads below 1, and what `Recipe` refuses.
    """

    attention: str  #: a name in `flatten_edu.nn.ATTENTIONS`
    p: int | float = DEFAULT_P  #: focusing factor, for kinds that have one
    heads: int = 1  #: h; a head has d = C / h features
    output_norm: bool = False  #: a LayerNorm of what the heads give, before the output projection
    dim: int = 64  #: C
    depth: int = 2  #: blocks
    steps: int = 1500
    batch_size: int = 32  #: sequences a step
    lr: float = 2e-3  #: the highest, after a tenth of the steps; then a cosine to zero
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "depth", "dim", "heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"recall needs {name} of 1 or more, got {getattr(self, name)}")
        self.recipe  # noqa: B018 (it refuses what it cannot train with)

    @property
    def recipe(self) -> Recipe:
        """AdamW and its schedule: all steps are one epoch."""
        return Recipe(epochs=1, batch_size=self.batch_size, lr=self.lr, warmup_epochs=0.1, seed=self.seed)


class RecallModel(nn.Module):
    """Key and symbol of each cell [B, N, KEY + SYMBOLS] in, a score for each symbol [B, N, SYMBOLS] out."""

    def __init__(self, settings: RecallSettings):
        super().__init__()
        dim = settings.dim
        self.embed = nn.Linear(KEY + SYMBOLS, dim)
        self.blocks = nn.Sequential(*(self._block(settings) for _ in range(settings.depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, SYMBOLS)

    @staticmethod
    def _block(settings: RecallSettings) -> Block:
        dim = settings.dim
        attn = make_attention(
            settings.attention, dim, settings.heads, GRID, class_token=False, settings={"p": settings.p}
        )
        if settings.output_norm:
            attn.proj = nn.Sequential(nn.LayerNorm(dim), attn.proj)  # type: ignore[assignment]
        return Block(attn, Mlp(dim, 2 * dim))

    def forward(self, x: Float[Tensor, "b n f"]) -> Float[Tensor, "b n s"]:
        """Scores before softmax."""
        return self.head(self.norm(self.blocks(self.embed(x))))


@dataclass
class Recall:
    """A batch of sequences."""

    x: Float[Tensor, "b n f"]  #: key and symbol of each cell
    answers: Int[Tensor, "b n"]  #: the symbol that an asking cell should give; `NO_ANSWER` in the others
    stored: Int[Tensor, "b pairs"]  #: where the pairs' stored cells are
    asking: Int[Tensor, "b pairs"]  #: and where their asking cells are


def far_pairs(count: int, generator: torch.Generator) -> Int[Tensor, "count pairs 2"]:
    """For each of `count` sequences a random partition of the grid's cells into pairs that stand far apart."""
    order = torch.rand(count, CELLS, generator=generator).argsort(1)
    first, second = order.unflatten(1, (-1, 2)).chunk(2, dim=1)
    while True:
        # Lay the pairs side by side, two and two, and let two pairs exchange their ends where that mends one.
        second = second.roll(int(torch.randint(second.shape[1], (), generator=generator)), 1)
        crossed = torch.stack([first[..., 0], second[..., 1]], -1), torch.stack([second[..., 0], first[..., 1]], -1)
        wrong, wrong_crossed = _near(first) + _near(second), _near(crossed[0]) + _near(crossed[1])
        if not wrong.any():
            return torch.cat([first, second], 1)
        better = (wrong_crossed <= wrong)[..., None]
        first, second = (new.where(better, old) for new, old in zip(crossed, (first, second), strict=True))


def _near(pairs: Int[Tensor, "*batch 2"]) -> Int[Tensor, "*batch"]:
    """1 for a pair whose cells are too near, 0 for others."""
    rows, columns = pairs // GRID[1], pairs % GRID[1]
    return (torch.maximum(rows.diff(dim=-1).abs(), columns.diff(dim=-1).abs())[..., 0] < APART).long()


def recall_batch(pairs: Int[Tensor, "b all 2"], count: int, generator: torch.Generator) -> Recall:
    """Sequences with D = `count` of their pairs in use, drawn at random."""
    size = len(pairs)
    row = torch.arange(size)[:, None]
    used = torch.rand(pairs.shape[:2], generator=generator).argsort(1)[:, :count]
    stored, asking = pairs[row, used].unbind(-1)
    keys = F.normalize(torch.randn(size, CELLS, KEY, generator=generator), dim=-1) * KEY**0.5
    symbols = torch.randint(SYMBOLS, (size, count), generator=generator)
    keys[row, asking] = keys[row, stored]
    shown = torch.zeros(size, CELLS, SYMBOLS)
    shown[row, stored, symbols] = SYMBOLS**0.5
    answers = torch.full((size, CELLS), NO_ANSWER)
    answers[row, asking] = symbols
    return Recall(torch.cat([keys, shown], -1), answers, stored, asking)


def training_batches(settings: RecallSettings) -> Iterator[Recall]:
    """The batches of a run, each with one D. They follow from the seed alone: all kinds see the same."""
    generator = torch.Generator().manual_seed(settings.seed)
    places = far_pairs(LAYOUTS, generator)
    for _ in range(settings.steps):
        count = PAIRS[int(torch.randint(len(PAIRS), (), generator=generator))]
        chosen = torch.randint(LAYOUTS, (settings.batch_size,), generator=generator)
        yield recall_batch(places[chosen], count, generator)


def train_recall(
    settings: RecallSettings, show: Callable[[int, float], object] = lambda step, loss: None
) -> tuple[RecallModel, list[float]]:
    """A trained model, and the loss of each step.

    Args:
        show: called after each step with its number, from 1, and its loss.
    """
    recipe = settings.recipe
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = RecallModel(settings)
    optimizer = recipe.optimizer(model)
    losses = []
    for step, batch in enumerate(training_batches(settings)):
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr_at(step, settings.steps)
        loss = F.cross_entropy(model(batch.x).flatten(0, 1), batch.answers.flatten(), ignore_index=NO_ANSWER)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        show(step + 1, losses[-1])
    return model.eval(), losses


@torch.no_grad()
def evaluate_recall(model: RecallModel, count: int, sequences: int = 128, decomposed: int = 4) -> dict[str, Any]:
    """How well a model recalls D = `count` pairs, on sequences that no training has seen, the same for all models.

    Args:
        decomposed: of how many sequences the maps' ranks are averaged.

    Returns:
        By name, each but the first as [blocks][heads]: "accuracy", the share of right answers; "on_partner", the mean
        weight of an asking cell on its partner, at most d / D where weights come from d non-negative features;
        "entropy" of asking cells' weights, in bits; "rank" and "effective_rank" of the whole map.
    """
    generator = torch.Generator().manual_seed(10**6 + count)
    batch = recall_batch(far_pairs(sequences, generator), count, generator)
    row = torch.arange(sequences)[:, None]
    with capture(model) as records:
        right = model(batch.x).argmax(-1) == batch.answers
    found = {"accuracy": right[row, batch.asking].float().mean().item()}
    maps = torch.stack([record.weights for record in records], 1)  # [sequences, blocks, heads, N, N]
    asked = maps[row, :, :, batch.asking]  # [sequences, pairs, blocks, heads, N]
    target = batch.stored[:, :, None, None, None].expand(*asked.shape[:-1], 1)
    ranks = rank_summary(maps[:decomposed])  # in float32, whose rounding a map of low rank has too
    found |= {
        "on_partner": asked.gather(-1, target).mean((0, 1, 4)).tolist(),
        "entropy": entropy_bits(asked).mean((0, 1)).tolist(),
        "rank": ranks.rank.float().mean(0).tolist(),
        "effective_rank": ranks.effective.mean(0).tolist(),
    }
    return found


def recall_runs(**wanted: object) -> list[dict[str, Any]]:
    """The book's runs with these settings; those that are not named have the defaults of `RecallSettings`.

    A p counts where the attention has one.
    """
    defaults = asdict(RecallSettings(str(wanted["attention"])))
    settings = {name: value for name, value in (defaults | wanted).items() if name != "seed"}
    if "p" not in ATTENTIONS[settings["attention"]].settings:
        del settings["p"]
    return [run for run in results("recall")["runs"] if all(run[name] == value for name, value in settings.items())]


def recall_curves(measure: str, **wanted: object) -> list[dict[int, float]]:
    """A measure of `evaluate_recall` by D, a curve a seed: of weights on the partner that of the head that has most."""
    return [
        {int(count): _largest(found[measure]) for count, found in run["tests"].items()} for run in recall_runs(**wanted)
    ]


def _largest(value: float | list) -> float:
    return max(map(_largest, value)) if isinstance(value, list) else value
