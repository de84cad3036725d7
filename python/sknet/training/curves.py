"""Learning curves: a table that grows with the training, and its plot."""
import csv
import io
import math
from pathlib import Path

from sknet.figures import save
from sknet.files import refusals, replacing

FIRST = ("iteration", "lr", "loss")
TRAIN, VAL, SECOND = "#a3bdd6", "#3b75af", "#ef8636"


class Curves:
    """curves.csv in a folder, with a row now and then: the number of updates, the
    rate of the next, the mean loss since the row before and, where the net was
    validated, what the validation gave.

    measures: the names of what it gives.
    until: rows of later iterations are dropped: the training goes on from there.
    """

    def __init__(self, folder, measures, until):
        self.path = Path(folder, "curves.csv")
        self.plot_path = Path(folder, "curves.png")
        self._columns = [*FIRST, *(f"val {name}" for name in measures)]
        self.rows = [row for row in self._stored() if row["iteration"] <= until]
        self._write()

    def add(self, iteration, lr=None, loss=None, measured=None):
        """Append a row; `measured` is {name: value} of a validation."""
        row = dict.fromkeys(self._columns)
        row.update(iteration=iteration, lr=lr, loss=loss)
        row.update({f"val {name}": value for name, value in (measured or {}).items()})
        if self.rows and self.rows[-1]["iteration"] == iteration:
            # It was stopped here, without a validation.
            self.rows[-1].update({column: value for column, value in row.items()
                                  if value is not None})
            self._write()
            return
        self.rows.append(row)
        with refusals(self.path), self.path.open("a") as file:
            file.write(self._line(row))

    def validated(self, iteration):
        """Whether there is a validation after so many updates."""
        return iteration in dict(self.validations())

    def validations(self):
        """Return [(iteration, {name: value})] of all validations."""
        return [(row["iteration"], {name[4:]: row[name] for name in self._columns[3:]})
                for row in self.rows
                if any(row[name] is not None for name in self._columns[3:])]

    def _write(self):
        with replacing(self.path) as name:
            Path(name).write_text("".join(map(self._line, [
                dict(zip(self._columns, self._columns)), *self.rows])))

    def _line(self, row):
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerow(
            [_text(row[name]) for name in self._columns])
        return file.getvalue()

    def _stored(self):
        """The rows in the file. A kill may have left half a line at its end."""
        if not self.path.exists():
            return
        lines = self.path.read_text().splitlines(keepends=True)
        for values in csv.reader(line for line in lines[1:] if line.endswith("\n")):
            row = {name: float(value) if value else None
                   for name, value in zip(self._columns, values)}
            yield {**row, "iteration": int(row["iteration"])}

    def plot(self, title):
        """Draw curves.png anew: losses on the left, accuracies on the right."""
        # Not pyplot, which would look for a display.
        from matplotlib.figure import Figure
        names = self._columns[3:]
        losses = [name for name in names if "loss" in name]
        others = [name for name in names if name not in losses]
        figure = Figure(figsize=(10, 3.8), layout="constrained")
        figure.suptitle(title, fontsize=10)
        left, right = figure.subplots(1, 2)
        left.plot(*self._points("loss"), color=TRAIN, linewidth=1.2, label="training")
        for axis, measures in ((left, losses), (right, others)):
            for name, colour in zip(measures, (VAL, SECOND, *_GREYS)):
                axis.plot(*self._points(name), color=colour, marker=".",
                          markersize=4, linewidth=1.4,
                          label="validation" if axis is left else name[4:])
            axis.set_xlabel("iteration")
            axis.set_xlim(0, self.rows[-1]["iteration"] * 1.02 or 1)
            axis.grid(color="#eeeeee")
            axis.set_axisbelow(True)
            axis.spines[["top", "right"]].set_visible(False)
            for iteration in self._drops():
                axis.axvline(iteration, color="#bbbbbb", linewidth=.8, linestyle=":")
            if axis.lines:
                axis.legend(frameon=False, fontsize=8)
        left.set_ylabel("loss")
        # Batch norm's statistics are far off at first, and validation with them.
        left.set_ylim(0, min(left.get_ylim()[1], 1.5 * max(
            self._points("loss")[1], default=math.inf)))
        right.set_ylabel("accuracy in validation")
        save(figure, self.plot_path)

    def _points(self, column):
        rows = [row for row in self.rows if row[column] is not None]
        return [row["iteration"] for row in rows], [row[column] for row in rows]

    def _drops(self):
        """Where the rate fell by a step."""
        iterations, rates = self._points("lr")
        return [iteration for iteration, before, rate in zip(
            iterations[1:], rates, rates[1:]) if rate < .6 * before]


_GREYS = ("#666666", "#999999", "#cccccc")


def _text(value):
    """Numbers to 7 digits: of single precision, no more mean anything."""
    return value if value is None or isinstance(value, (int, str)) else f"{value:.7g}"
