"""A picture of what a net saw: images, predictions, attention."""
from pathlib import Path

from sknet.attention import branch_attention, units
from sknet.figures import save

MOST = 24  # images; more would not be looked at
COLOURS = ("#3b75af", "#ef8636", "#519e3e", "#c53a32")


class Picture:
    """Rows of image, most probable classes, and attention in each SK unit.

    param: the net's NetParameter.
    """

    def __init__(self, param):
        self.units = units(param)
        self._rows = []

    def add(self, image, result, net, number):
        """Add a row (no more than MOST).

        image: a Pillow image; result: dict of `file` and `predictions`, ranked;
        net: the caffe.Net after the forward pass that had it as image `number`.
        """
        if len(self._rows) < MOST:
            self._rows.append((image, result, [
                branch_attention(net, unit)[number] for unit in self.units]))

    def save(self, path):
        """Write the picture, in the format that the name ends in."""
        # Not pyplot, which would look for a display.
        from matplotlib.figure import Figure
        across = 2 if len(self._rows) > 4 else 1
        down = -(-len(self._rows) // across)
        figure = Figure(figsize=(7.5 * across, 1.7 * down + 0.6),
                        layout="constrained")
        axes = figure.subplots(down, 3 * across, squeeze=False,
                               width_ratios=[1, 1.4, 2.6] * across)
        for axis in axes.flat:
            axis.set_axis_off()
        for number, row in enumerate(self._rows):
            first = number // down * 3
            self._draw(axes[number % down, first:first + 3], *row,
                       last=number % down == down - 1)
        if self.units:
            figure.legend(
                *zip(*[(bar, f"{kernel}x{kernel}") for bar, kernel in zip(
                    axes[0, 2].containers, self.units[0].kernels)]),
                loc="outside upper right", ncols=4, frameon=False,
                title="mean attention of the branch with the kernel")
        save(figure, path)

    def _draw(self, axes, image, result, attention, last):
        seen, classes, selected = axes
        seen.imshow(image)
        seen.set_title(Path(result["file"]).name, fontsize=8)
        rows = result["predictions"][:3][::-1]
        names = [str(row["label"] or row["class"]) for row in rows]
        classes.set_axis_on()
        classes.barh(range(len(rows)), [row["probability"] for row in rows],
                     color="#888888")
        classes.set_yticks(range(len(rows)),
                           [name if len(name) < 18 else name[:16] + "…"
                            for name in names], fontsize=8)
        classes.set_xlim(0, 1)
        classes.tick_params(axis="x", labelsize=7)
        for row, at in zip(rows, range(len(rows))):
            classes.annotate(f"{row['probability']:.0%}", (1, at), ha="right",
                             va="center", fontsize=7)
        if not attention:
            return
        selected.set_axis_on()
        floor = [0.0] * len(attention)
        for branch, colour in zip(range(len(attention[0])), COLOURS):
            heights = [unit[branch] for unit in attention]
            selected.bar(range(len(attention)), heights, bottom=floor,
                         color=colour, width=0.8)
            floor = [low + height for low, height in zip(floor, heights)]
        selected.axhline(0.5, color="white", linewidth=0.8)
        selected.set_ylim(0, 1)
        selected.tick_params(axis="y", labelsize=7)
        selected.set_xticks(range(len(attention)),
                            [unit.name for unit in self.units] if last else [],
                            rotation=90 if len(self.units) > 8 else 0, fontsize=7)
