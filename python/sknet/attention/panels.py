"""Single images at each scale, beside the attention of units and of their channels,
like the upper part of the paper's figure 3."""
from dataclasses import dataclass

import numpy as np

from sknet.attention.charts import axis_name, bars, colours
from sknet.attention.measure import Enlarged
from sknet.attention.units import channel_attention


@dataclass(frozen=True)
class Panel:
    """An image: its title, Pillow images, one for each scale, and of each unit's name
    the attention of each branch and channel: scales x branches x channels."""
    title: str
    frames: list
    attention: dict


def panel(classifier, image, title, units, scales):
    """Return the Panel of a Pillow image."""
    enlarged = Enlarged(classifier.preprocessing, scales)
    classifier(enlarged(image))
    return Panel(title, enlarged.frames(image), {
        unit.name: channel_attention(classifier.net, unit) for unit in units})


def draw(panels, units, channel_units, scales):
    """Return a matplotlib Figure with a row for each Panel: the image at each scale;
    the mean difference of `units`; of each of `channel_units` the attention of the
    branch with the largest kernel, over its channels."""
    from matplotlib.figure import Figure
    columns = len(scales) + 1 + len(channel_units)
    ratios = [1] * len(scales) + [1.8] + [2] * len(channel_units)
    figure = Figure(figsize=(1.35 * sum(ratios), 1.75 * len(panels) + 0.5),
                    layout="constrained")
    grid = figure.subplots(len(panels), columns, squeeze=False, width_ratios=ratios)
    for axes in grid[1:, len(scales)]:
        axes.sharey(grid[0, len(scales)])
    for number, (row, shown) in enumerate(zip(grid, panels)):
        last = number == len(panels) - 1
        _images(row, shown, scales, first=not number)
        _units(row[len(scales)], shown, units, scales, last)
        for axes, unit in zip(row[len(scales) + 1:], channel_units):
            _channels(axes, shown, unit, scales, last)
            if not number:
                size = max(unit.kernels)
                axes.set_title(f"{unit.name}: attention of {size}×{size}", fontsize=8)
    grid[0, len(scales)].set_title(axis_name(units).replace("\n", " "), fontsize=8)
    figure.legend(*grid[0, -1].get_legend_handles_labels(), ncols=len(scales),
                  loc="outside upper right", frameon=False, fontsize=8)
    return figure


def _images(row, shown, scales, first):
    for axes, frame, scale in zip(row, shown.frames, scales):
        axes.imshow(frame)
        axes.set_xticks([])
        axes.set_yticks([])
        if first:
            axes.set_title(f"{scale:g}x", fontsize=8)
    row[0].set_ylabel(shown.title, fontsize=7)


def _units(axes, shown, units, scales, last):
    bars(axes, scales, np.transpose([
        unit.difference(shown.attention[unit.name].mean(axis=2)) for unit in units]))
    axes.set_xticks(range(len(units)), [unit.name for unit in units] if last else [],
                    fontsize=7, rotation=90 if len(units) > 4 else 0)
    axes.tick_params(axis="y", labelsize=7)


def _channels(axes, shown, unit, scales, last):
    found = shown.attention[unit.name][:, int(np.argmax(unit.kernels))]
    for scale, colour, line in zip(scales, colours(scales), found):
        axes.plot(line, color=colour, lw=0.9 if len(line) <= 128 else 0.4,
                  label=f"{scale:g}x")
    axes.set_ylim(0, 1)
    axes.tick_params(labelsize=7)
    if last:
        axes.set_xlabel("channel", fontsize=7)
