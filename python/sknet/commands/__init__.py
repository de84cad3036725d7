"""The verbs of the command sknet, a module each: `run(args)` returns the exit
status, `add_arguments(parser)` says what it takes, the docstring what it does,
EXAMPLE how to call it."""
