"""Errors that are the input's fault."""


class InputError(Exception):
    """Bad input. The message is one line that names the file, layer or option
    at fault and what was expected."""
