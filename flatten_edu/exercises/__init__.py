"""Level 6: the checks of the book's exercises. A check says what is wrong with an answer, and never raises."""

from collections.abc import Callable

from flatten_edu.exercises.checks import CHECKS
from flatten_edu.functional.checks import require_known

__all__ = ["CHECKS", "check"]


def check(name: str, answer: Callable[..., object] | object) -> None:
    """Print whether an answer is right; if not, the first case in which it is wrong.

    Args:
        name: of the exercise.
        answer: a function, or a number, as the exercise asks.

    Raises:
        ValueError: no exercise has that name; the names are listed.
    """
    judge = CHECKS[require_known("exercise", name, CHECKS)]
    try:
        fault = judge(answer)
    except Exception as error:  # the reader's code may fail in any way
        fault = f"it stopped with {type(error).__name__}: {error}"
    print("Right." if fault is None else f"Not yet: {fault}")
