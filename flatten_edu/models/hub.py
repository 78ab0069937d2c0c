"""A DeiT that comes from the Hugging Face Hub and goes to it; needs the extra `hub`: pip install 'flatten-edu[hub]'."""

import dataclasses
import json
from typing import Any

try:
    from huggingface_hub import ModelCard, PyTorchModelHubMixin
except ImportError:
    raise ImportError("models on the Hugging Face Hub need: pip install 'flatten-edu[hub]'") from None

from flatten_edu.models.deit import DeiT, DeiTConfig
from flatten_edu.models.pretrained import config_of

CARD = """\
---
{{ card_data }}
---

# A {{ attention }} DeiT, made with flatten_edu

After Han et al., *FLatten Transformer* (ICCV 2023), {{ paper_url }}; the weights are not the authors'. To load it:
`flatten_edu.models.pretrained("NAME/OF-THIS-REPOSITORY")`, with `pip install 'flatten-edu[hub]'`.

How it was made and what it reaches:

```json
{{ made }}
```
"""


class FLattenDeiT(
    DeiT,
    PyTorchModelHubMixin,
    library_name="flatten_edu",
    paper_url="https://arxiv.org/abs/2308.00442",
    license="mit",
    pipeline_tag="image-classification",
    model_card_template=CARD,
):
    """A `DeiT` with `from_pretrained`, `save_pretrained` and `push_to_hub`, of Hugging Face's own mixin.

    A folder or repository holds model.safetensors, config.json and README.md, the model's card.
    """

    def __init__(self, config: DeiTConfig):
        given = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
        super().__init__(config_of({"config": given}))
        self.made: dict[str, Any] | None = None  #: how it was trained, for its card

    @classmethod
    def of(cls, model: DeiT, made: dict[str, Any] | None = None) -> "FLattenDeiT":
        """The same weights, ready to be saved or pushed; `made` is what `card` or a run's JSON says of them."""
        shared = cls(model.config)
        shared.load_state_dict(model.state_dict())
        shared.made = made
        return shared.train(model.training)

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **settings: Any) -> "FLattenDeiT":
        """As the mixin does, but a name that only one side has is an error, and so is a place without a model."""
        if "config" not in settings:
            raise FileNotFoundError(f"{settings['model_id']} has no config.json; of a run give the .safetensors")
        return super()._from_pretrained(strict=strict, **settings)

    def generate_model_card(self, *given: Any, **settings: Any) -> ModelCard:
        """The README.md of its repository."""
        made = json.dumps(self.made or "nobody wrote it down", indent=1)
        kinds = ", ".join(sorted(set(self.config.kinds)))
        return super().generate_model_card(*given, attention=kinds, made=made, **settings)
