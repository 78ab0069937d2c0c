"""What every successor asks of its arguments."""

from torch import Tensor

from flatten_edu.functional.checks import require_floating, require_same_features, require_tokens


def require_attention(where: str, phi_q: Tensor, phi_k: Tensor, v: Tensor) -> None:
    """Raise unless features fit each other and there is one value per key."""
    require_floating(where, phi_q=phi_q, phi_k=phi_k, v=v)
    require_same_features(where, phi_q=phi_q, phi_k=phi_k)
    require_tokens(where, phi_q, phi_k, v)
