"""The subcommands, a module each with `add_parser` and `run`."""
