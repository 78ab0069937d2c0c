"""Still pictures of the labs: for readers without JavaScript, for print, and for the moment before a lab starts.

One module a lab: `picture(state, buffers)` draws its first view from the traits that JSON holds and from the others,
which are bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flatten_edu.plot.style import Picture
from flatten_edu.publish.stills import focus, maps, precision, proof, rank, reorder, sharpness, timing

_STILLS: dict[str, Callable[[dict[str, Any], Mapping[str, bytes]], Picture]] = {
    "focus": focus.picture,
    "maps": maps.picture,
    "precision": precision.picture,
    "proof": proof.picture,
    "rank": rank.picture,
    "reorder": reorder.picture,
    "sharpness": sharpness.picture,
    "timing": timing.picture,
}


def still(lab: str, state: dict[str, Any], buffers: Mapping[str, bytes]) -> tuple[bytes, str]:
    """A lab's first view as an SVG file, and the sentence that stands for it."""
    figure = _STILLS[lab](state, buffers)
    return figure.svg(), figure.alt
