"""The training loop: what a run does can be stopped at any step and goes on as if it had not been."""

import dataclasses
import io
import json
import math
import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from flatten_edu.machine import replace_whole
from flatten_edu.models import DeiT, DeiTConfig
from flatten_edu.train.augment import augment
from flatten_edu.train.batches import Steps, generator
from flatten_edu.train.evaluate import accuracy
from flatten_edu.train.files import claim, undivided
from flatten_edu.train.recipe import Recipe
from flatten_edu.train.world import World


class NonFiniteLoss(RuntimeError):
    """Loss or weights became NaN or infinite. The message says at which step, and where the last good state is."""


class Run:
    """A training run in a folder: checkpoint.pt is replaced whole after each epoch and when the run is interrupted.

    All that is random in a step follows from the recipe's seed and the step's number. A run that was killed and is
    started again repeats what came after its last checkpoint, and ends where it would have ended: exactly on one
    device and the same number of threads, up to the order of sums elsewhere.

    Args:
        config: the model.
        recipe: the training.
        images: `flatten_edu.data.LabelledImages` to learn from.
        held_out: those on which accuracy is measured, after each `evaluate_every` epochs.
        out: the run's folder; it is made.
        world: the processes that share the work.
        workers: processes that prepare batches, for each of them.
        compile: whether the steps run through torch.compile; losses agree to rounding.

    Raises:
        ValueError: `out` holds another run or a damaged checkpoint, another process trains there, or recipe and images
            do not go together.
        OSError: `out` cannot be written.
    """

    def __init__(
        self,
        config: DeiTConfig,
        recipe: Recipe,
        images: Any,
        held_out: Any,
        out: str | os.PathLike,
        world: World | None = None,
        workers: int = 0,
        evaluate_every: int = 1,
        compile: bool = False,
    ):
        if evaluate_every < 1:
            raise ValueError(f"evaluate_every counts epochs from 1, got {evaluate_every}")
        self.recipe, self.world, self.workers = recipe, world or World(), workers
        self.held_out, self.out, self.evaluate_every = held_out, Path(out), evaluate_every
        self.compile = compile
        self.steps = Steps(images, recipe, self.world)
        self.settings = {
            "config": dataclasses.asdict(config),
            "recipe": dataclasses.asdict(recipe),
            "data": {"training_images": len(images)},
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.model = DeiT(config).to(self.world.device)
        self.optimizer = recipe.optimizer(self.model)
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []  # of each step
        self.epochs: list[dict[str, float]] = []
        self.out.mkdir(parents=True, exist_ok=True)
        if self.world.rank == 0:
            claim(self.out)
        if self.checkpoint.exists():
            self._resume()
        if self.world.sum(torch.tensor(self.step, device=self.world.device)) != self.step * self.world.size:
            raise ValueError(f"the processes found different checkpoints: each of them has to see the same {self.out}")

    @property
    def checkpoint(self) -> Path:
        """The run's state as it was after the last epoch, or when it was interrupted."""
        return self.out / "checkpoint.pt"

    def train(self, show: bool = False) -> DeiT:
        """Run the steps that are left, and return the model.

        Args:
            show: whether to draw a progress bar with the time that is left.

        Raises:
            NonFiniteLoss: see there.
            KeyboardInterrupt: after the step was done and saved, by all processes where several train.
        """
        model, pending = self._shared_model(), []
        hidden = None if show and self.world.rank == 0 else True  # None: where there is no terminal
        alone = self.world.size == 1  # one is stopped wherever it is; several end the same step, then stop together
        waiting: AbstractContextManager[list] = nullcontext([]) if alone else undivided()
        progress = tqdm(total=len(self.steps), initial=self.step, unit="step", disable=hidden)
        self.model.train()
        with progress as bar, waiting as asked:
            try:
                self._end_due_epoch(show)  # it was stopped while it measured the accuracy
                started = time.perf_counter()
                for x, labels in self.steps.loader(self.step, self.workers):
                    with undivided():
                        pending.append(self._one_step(model, x, labels))
                        self.step += 1
                        if len(pending) == 50 or self.step % self.steps.per_epoch == 0:
                            bar.set_postfix(loss=f"{self._take(pending):.3f}")
                        self.seconds += time.perf_counter() - started
                    bar.update()
                    self._end_due_epoch(show)
                    if self.world.any(bool(asked)):
                        raise KeyboardInterrupt
                    started = time.perf_counter()
            except KeyboardInterrupt:
                with undivided():
                    self._take(pending)
                    self._save()
                raise
        return self.model

    def _shared_model(self) -> nn.Module:
        model = cast(nn.Module, torch.compile(self.model)) if self.compile else self.model
        if self.world.size == 1:
            return model
        devices = [self.world.device.index] if self.world.device.type == "cuda" else None
        # A model with the convolution alone leaves the keys' parameters unused.
        return DistributedDataParallel(model, devices, find_unused_parameters=True)

    def _one_step(self, model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
        device, recipe = self.world.device, self.recipe
        torch.manual_seed(generator(recipe.seed, 3, self.step, self.world.rank).initial_seed())
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.lr_at(self.step, self.steps.per_epoch)
        x, targets = augment(x.to(device), labels.to(device), self.model.config.num_classes, recipe)
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.autocasts(device)):
            scores = model(x)
        loss = F.cross_entropy(scores.float(), targets, label_smoothing=recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _take(self, pending: list[Tensor]) -> float:
        """Keep the losses of the last steps, which are read together: reading one waits for the GPU."""
        if not pending:
            return math.nan
        losses = (self.world.sum(torch.stack(pending)) / self.world.size).tolist()
        pending.clear()
        for i, loss in enumerate(losses):
            if not math.isfinite(loss):
                raise NonFiniteLoss(self._explain(f"the loss became {loss}", self.step - len(losses) + i))
        self.losses += losses
        return losses[-1]

    def _explain(self, what: str, step: int) -> str:
        kept = f"the last good state is {self.checkpoint}" if self.checkpoint.exists() else "there is no checkpoint yet"
        return f"{what} at step {step} (epoch {step // self.steps.per_epoch + 1}); {kept}"

    def _end_due_epoch(self, show: bool) -> None:
        """Where the last step ended an epoch that has no entry yet: measure, note and save."""
        number, losses = self.step // self.steps.per_epoch, self.losses[-self.steps.per_epoch :]
        if number == len(self.epochs):
            return
        entry = {"epoch": number, "loss": sum(losses) / len(losses), "seconds": round(self.seconds, 1)}
        if number % self.evaluate_every == 0:
            entry["accuracy"] = round(accuracy(self.model, self.held_out, self.world), 6)
        self.epochs.append(entry)
        self._save()
        if show and self.world.rank == 0:
            tqdm.write(", ".join(f"{name} {value:.6g}" for name, value in entry.items()))

    def _save(self) -> None:
        """The log and the checkpoint, each replaced whole; the log first, which may not fall behind.

        A finite loss may still have a gradient that is not: such weights are not saved.
        """
        if not all(parameter.isfinite().all() for parameter in self.model.parameters()):
            raise NonFiniteLoss(self._explain("weights became NaN or infinite", self.step - 1))
        if self.world.rank == 0:
            log = {**self.settings, "epochs": self.epochs, "losses": self.losses}
            replace_whole(self.out / "log.json", json.dumps(log, indent=1).encode())
            state = {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "settings": self.settings,
                "step": self.step,
                "seconds": self.seconds,
                "losses": self.losses,
                "epochs": self.epochs,
            }
            content = io.BytesIO()
            torch.save(state, content)
            replace_whole(self.checkpoint, content.getbuffer())
        self.world.wait()

    def _resume(self) -> None:
        try:
            state = torch.load(self.checkpoint, self.world.device, weights_only=True)
            saved = {name: value for part in state["settings"].values() for name, value in part.items()}
        except PermissionError:
            raise
        except Exception as error:  # a damaged file fails in many ways
            wrong = f"is damaged, or no run's ({type(error).__name__})"
            raise ValueError(f"{self.checkpoint} {wrong}: delete it to begin anew") from None
        wanted = {name: value for part in self.settings.values() for name, value in part.items()}
        other = [name for name in wanted if saved.get(name) != wanted[name]]
        if other:
            listed = "; ".join(f"{name} {saved.get(name)} there, {wanted[name]} here" for name in other)
            raise ValueError(f"{self.out} holds another run ({listed}): choose another folder for this one")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in ("step", "seconds", "losses", "epochs"):
            setattr(self, name, state[name])
