"""Types of arguments that several verbs take."""
import argparse


def positive(text):
    """A whole number above 0 that an int of C++ holds."""
    number = int(text)
    if not 1 <= number < 2 ** 31:
        raise argparse.ArgumentTypeError(f"{number} is not in 1 to 2^31 - 1")
    return number


def channel_values(text):
    """Comma-separated numbers as a tuple of floats."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not like 104,117,123") from None
