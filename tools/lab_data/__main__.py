"""Make the data of the labs that are named, or of all: python -m tools.lab_data sharpness"""

import argparse
from collections.abc import Callable

from tools.lab_data.maps import maps
from tools.lab_data.rank import rank
from tools.lab_data.sharpness import sharpness
from tools.lab_data.timing import timing

LABS: dict[str, Callable[[], None]] = {"maps": maps, "rank": rank, "sharpness": sharpness, "timing": timing}


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labs", nargs="*", choices=[*LABS, []], default=[], metavar="|".join(LABS))
    for lab in parser.parse_args().labs or LABS:
        LABS[lab]()
        print(f"{lab}: done")


if __name__ == "__main__":
    main()
