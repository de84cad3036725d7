"""Types of arguments that several verbs take."""
import argparse


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not above 0")
    return number


def channel_values(text):
    """Comma-separated numbers as a tuple of floats."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not like 104,117,123") from None
