"""A picture of which classes are taken for which."""
import numpy as np

from sknet.figures import save, shortened

FEW = 25  # classes whose names and numbers can be read in the matrix
WORST = 30  # confusions listed beside it


def draw(path, matrix, names=None, force=True):
    """Draw a confusion matrix (images of the row's class predicted as the
    column's) to a file, in the format that its name ends in: each row in shares of
    its images, and the most frequent confusions as a list.

    names: the classes', or None; force: as in sknet.files.replacing.
    """
    # Not pyplot, which would look for a display.
    from matplotlib.colors import PowerNorm
    from matplotlib.figure import Figure
    names = [str(name) for name in (names or range(len(matrix)))]
    figure = Figure(figsize=(13, 8.5), layout="constrained")
    grid, worst = figure.subplots(1, 2, width_ratios=[2.2, 1])
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # The root, so that rare confusions can be seen.
    colours = dict(cmap="magma_r", norm=PowerNorm(0.5, 0, 1))
    if len(matrix) <= FEW:
        drawn = grid.imshow(shares, **colours)
        _write_numbers(grid, matrix, shares, names)
    else:
        drawn = _scatter(grid, shares, colours)
    figure.colorbar(drawn, ax=grid, label="share of the class's images", shrink=0.6,
                    ticks=[0, .01, .1, .25, .5, 1])
    grid.set_xlabel("predicted class")
    grid.set_ylabel("class")
    _list(worst, matrix, names)
    save(figure, path, force)


def _write_numbers(grid, matrix, shares, names):
    places = range(len(names))
    grid.set_xticks(places, [shortened(name) for name in names],
                    rotation=90 if max(map(len, names)) > 3 else 0)
    grid.set_yticks(places, [shortened(name) for name in names])
    for row, column in zip(*np.nonzero(matrix)):
        grid.annotate(str(matrix[row, column]), (column, row), ha="center",
                      va="center", fontsize=8,
                      color="white" if shares[row, column] > 0.2 else "black")


def _scatter(grid, shares, colours):
    """Points larger than their places, which would be less than a pixel; the
    frequent ones on top."""
    rows, columns = np.nonzero(shares)
    found = shares[rows, columns]
    order = np.argsort(found, kind="stable")
    grid.set(xlim=(-.5, len(shares) - .5), ylim=(len(shares) - .5, -.5), aspect=1)
    return grid.scatter(columns[order], rows[order], c=found[order], s=5,
                        linewidths=0, **colours)


def _list(axes, matrix, names):
    """The most frequent confusions as text."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:WORST]
    lines = [f"{wrong[row, column]:>5} of {matrix[row].sum():<5} "
             f"{shortened(names[row])} → {shortened(names[column])}"
             for row, column in zip(*np.unravel_index(order, wrong.shape))
             if wrong[row, column]]
    axes.set_axis_off()
    axes.set_title("images: class → predicted", loc="left", fontsize=10)
    axes.text(0, 1, "\n".join(lines), va="top", fontsize=8, family="monospace")
