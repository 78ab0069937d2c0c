"""In which precision sums are formed."""

import torch
from torch import Tensor


def widen(x: Tensor) -> Tensor:
    """Half precision to float32, others as they are: a product of fp16 rows with entries of 1e4 leaves fp16's range."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
