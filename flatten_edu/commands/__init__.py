"""Level 6: what `python -m flatten_edu` does: one module a command, each with `add(parser)` and `run(arguments)`."""
