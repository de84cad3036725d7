"""A benchmark as a bar chart."""
from sknet.bench.report import place
from sknet.figures import save


def draw(path, result):
    """Images a second of each engine, a panel for each batch."""
    from matplotlib.figure import Figure
    parts = result["batches"]
    figure = Figure(figsize=(1 + 3.4 * len(parts), 3.2), layout="constrained")
    panels = figure.subplots(1, len(parts), squeeze=False)[0]
    for panel, part in zip(panels, parts):
        names = sorted(part["ms"], key=part["ms"].get, reverse=True)
        speeds = [1e3 * part["batch"] / part["ms"][name] for name in names]
        bars = panel.barh(names, speeds, color=[
            "tab:orange" if name.startswith("compiled") else "tab:gray" for name in names])
        panel.bar_label(bars, [f"{speed:.1f}" for speed in speeds], padding=2)
        panel.set_title(f"batch {part['batch']}")
        panel.set_xlabel("images a second")
        panel.margins(x=.18)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{result['model']}, {place(result)}", fontsize="medium")
    save(figure, path)
