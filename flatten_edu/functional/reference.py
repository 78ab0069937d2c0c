"""Slow twins: the same formulas written with loops over Python floats (float64), in the paper's order of operations.

Nothing but tests and the book calls these. Where one of them and a fast function differ, this one is right.
"""

import math
from collections.abc import Sequence

Row = Sequence[float]


def focused_map_loop(x: Row, p: int | float) -> list[float]:
    """f_p(ReLU(x)) for one row, power first: equations 5 and 6 as they are printed."""
    r = [max(entry, 0.0) for entry in x]
    powered = [entry**p for entry in r]
    length, powered_length = math.hypot(*r), math.hypot(*powered)
    return [length / powered_length * entry if powered_length > 0 else 0.0 for entry in powered]


def softmax_weights_loop(q: Row, keys: Sequence[Row]) -> list[float]:
    """Equation 1 for one query."""
    exponentials = [math.exp(sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(len(q))) for k in keys]
    return [e / sum(exponentials) for e in exponentials]


def linear_weights_loop(phi_q: Row, phi_keys: Sequence[Row]) -> list[float]:
    """Equation 2's similarity, normalised as in equation 1, for one query."""
    similarity = [sum(a * b for a, b in zip(phi_q, k, strict=True)) for k in phi_keys]
    total = sum(similarity)
    return [s / total if total > 0 else 0.0 for s in similarity]
