"""Charts of the attention on larger kernels, like the paper's figures 3 and 4."""
import numpy as np

from sknet.figures import shortened

MARKERS = "osD^vP*X"
MANY = 40  # classes; more have no names on the axis


def default_units(units):
    """Return the last unit of each stage: in SKNet-50, the paper's."""
    return list({unit.stage: unit for unit in units}.values())


def default_class_units(units):
    """Return the last units of the first, the middle and the last stage."""
    last = default_units(units)
    return [last[place] for place in sorted({0, (len(last) - 1) // 2, len(last) - 1})]


def by_scale(means, units, scales):
    """Return a matplotlib Figure of the mean difference over all images: bars for
    each unit and scale, with two standard errors to each side."""
    found = _index(means)
    figure = _figure(1.6 + 1.5 * len(units), 3.6)
    axes = figure.subplots()
    rows = [[found[unit.name, None, scale] for unit in units] for scale in scales]
    bars(axes, scales, [[row.mean for row in of_scale] for of_scale in rows],
         [[2 * (row.standard_error or 0) for row in of_scale] for of_scale in rows])
    axes.set_xticks(range(len(units)), [unit.name for unit in units])
    n = found[units[0].name, None, scales[0]].n
    axes.set_title(f"Mean of {n:,} images (lines: 2 standard errors)", fontsize=10)
    _finish(axes, units)
    _legend(figure, axes, scales)
    return figure


def by_class(means, units, scales, names):
    """Return the same for each class, a row of axes for each unit.

    names: {class's number: its name}, of the classes that there are.
    """
    found = _index(means)
    places = range(len(names))
    few = len(names) <= MANY
    figure = _figure(min(11, 4 + 0.3 * len(names)), 0.7 + 1.7 * len(units))
    rows = figure.subplots(len(units), sharex=True, squeeze=False)[:, 0]
    for axes, unit in zip(rows, units):
        for scale, colour, marker in zip(scales, colours(scales), MARKERS * 9):
            means_ = [found[unit.name, label, scale] for label in names]
            axes.errorbar(places, [mean.mean for mean in means_],
                          [2 * (mean.standard_error or 0) if few else 0
                           for mean in means_],
                          color=colour, marker=marker if few else None, ms=4,
                          lw=1 if few else 0.7, elinewidth=1, label=f"{scale:g}x")
        axes.set_title(f"{unit.name}", fontsize=10, loc="left")
        axes.axhline(0, color="black", lw=0.8)
        _finish(axes, [unit])
    if few:
        labels = [shortened(name) for name in names.values()]
        crowded = len(labels) * max(map(len, labels)) > 60
        rows[-1].set_xticks(places, labels, fontsize=8,
                            rotation=90 if crowded else 0)
    rows[-1].set_xlabel("class")
    _legend(figure, rows[0], scales)
    return figure


def bars(axes, scales, heights, errors=None):
    """Draw a bar for each unit and scale. heights, errors: scales x units."""
    width = 0.8 / len(scales)
    for number, (scale, colour) in enumerate(zip(scales, colours(scales))):
        middles = np.arange(len(heights[0])) + (number - (len(scales) - 1) / 2) * width
        axes.bar(middles, heights[number], width, color=colour, label=f"{scale:g}x",
                 yerr=errors and errors[number], error_kw=dict(lw=1, capsize=2))
    axes.axhline(0, color="black", lw=0.8)


def colours(scales):
    """From light to dark, told apart by the colour-blind and in grey."""
    from matplotlib import colormaps
    return colormaps["viridis_r"](np.linspace(0.15, 0.9, len(scales)))


def axis_name(units):
    """What Unit.difference of these units is called."""
    extremes = {(max(unit.kernels), min(unit.kernels)) for unit in units}
    if len(extremes) > 1:
        return "attention:\nlarger − smaller kernels"
    (largest, smallest), = extremes
    return f"attention:\n{largest}×{largest} − {smallest}×{smallest}"


def _index(means):
    return {(mean.unit, mean.label, mean.scale): mean for mean in means
            if mean.value == "difference"}


def _figure(width, height):
    # Not pyplot, which would look for a display.
    from matplotlib.figure import Figure
    return Figure(figsize=(width, height), layout="constrained")


def _finish(axes, units):
    axes.set_ylabel(axis_name(units), fontsize=9)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure, axes, scales):
    if len(scales) > 1:
        figure.legend(*axes.get_legend_handles_labels(), title="scale", fontsize=9,
                      loc="outside right upper", frameon=False)
