"""python -m flatten_edu train | evaluate | recall | bench: see --help of each."""

import argparse
import sys

from flatten_edu.commands import bench, evaluate, recall, train

COMMANDS = {"train": train, "evaluate": evaluate, "recall": recall, "bench": bench}


def parser() -> argparse.ArgumentParser:
    """What the command line can say."""
    whole = argparse.ArgumentParser(prog="python -m flatten_edu", description=__import__("flatten_edu").__doc__)
    commands = whole.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        summary = module.__doc__.partition("\n")[0]
        module.add(commands.add_parser(name, help=summary, description=module.__doc__))
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run a command; its errors are one line, without a traceback."""
    given = parser().parse_args(arguments)
    try:
        COMMANDS[given.command].run(given)
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        print(f"{given.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        hint = "; the same command goes on from the last checkpoint" if given.command == "train" else ""
        print(f"\n{given.command}: stopped{hint}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
