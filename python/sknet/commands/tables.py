"""Tables as text."""


def aligned(rows, sides):
    """Yield rows of texts as lines of columns; `sides` says of each, < or >, to
    which. Shorter rows are notes, which columns do not make room for."""
    widths = [max(map(len, column)) for column in zip(
        *(row for row in rows if len(row) == len(sides)))]
    for row in rows:
        yield "  ".join(f"{text:{side}{width}}" for text, side, width in zip(
            row, sides, widths)).rstrip()
