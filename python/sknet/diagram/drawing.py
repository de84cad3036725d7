"""Units as boxes, in graphviz's language, and its program `dot` to draw them."""
from html import escape
from itertools import cycle, groupby
from pathlib import Path

from sknet.attention import units as sk_units
from sknet.diagram.units import units_of
from sknet.diagram.words import rows_of
from sknet.errors import InputError
from sknet.files import replacing
from sknet.receptive_field import receptive_fields
from sknet.shapes import shaped_layers

FORMATS = ("svg", "png", "pdf")
_FONT = "Helvetica"
_GREY = "#6b7280"
# Of each size of image in turn: a box's head, and the ground behind its stage.
_COLOURS = (("#2f6690", "#e8f0f7"), ("#3a7d44", "#e9f3ea"), ("#b5651d", "#f9efe4"),
            ("#a63d57", "#f8e9ed"), ("#6b4c9a", "#f0ebf7"), ("#3d7f80", "#e6f2f2"))
_PLAIN = (_GREY, "#f3f4f6")


def save(net, path, title, source=None):
    """Draw a NetParameter to a file, in the format that its name ends in.

    title: a line above the drawing.
    source: the file that the net was read from, to be named in errors.

    Raises InputError if the name ends in none of FORMATS, if pydot or graphviz
    is not there, if the file cannot be written, or as sknet.shapes.infer does.
    """
    kind = Path(path).suffix[1:].lower()
    if kind not in FORMATS:
        raise InputError(f"{path}: expected a name that ends in ."
                         + ", .".join(FORMATS))
    try:
        import pydot
    except ImportError as error:
        raise InputError("drawing needs the package pydot: pip install pydot") \
            from error
    graph = _graph(pydot, shaped_layers(net, source=source), sk_units(net), title)
    try:
        content = graph.create(format=kind, encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError("drawing needs graphviz's program dot: "
                         "apt-get install graphviz") from error
    with replacing(path) as name:
        Path(name).write_bytes(content)


def _graph(pydot, layers, selective, title):
    """A row for each stage, which is the units that give images of one size, or
    those that give none."""
    branches = {name for unit in selective for name in unit.branches}
    placed = {layer.param.name for layer, field in zip(
        layers, receptive_fields(layers)) if field}
    units = units_of(layers)
    stages = [(image, list(stage)) for image, stage in groupby(units, _image)]
    colours = dict(zip(dict.fromkeys(image for image, _ in stages if image),
                       cycle(_COLOURS)))
    graph = pydot.Dot("net", label=f'"{_escaped(title)}\\n "', labelloc="t",
                      labeljust="l", fontname=_FONT, fontsize=15, nodesep=.35,
                      ranksep=.5, dpi=110, pad=.2)
    graph.set_node_defaults(shape="plain", fontname=_FONT, fontsize=11)
    graph.set_edge_defaults(color=_GREY, arrowsize=.7)
    ids, rows_of_ids = {}, []
    for image, stage in stages:
        dark, light = colours.get(image, _PLAIN)
        # A cluster has the graph's label unless it has its own.
        ground = pydot.Cluster(
            f"stage{len(rows_of_ids)}", label='""', style="rounded,filled",
            color=light, margin=10) if image else pydot.Subgraph()
        row = pydot.Subgraph(rank="same")
        for unit in stage:
            name = unit.names[0]
            ids[name] = f"unit{len(ids)}"
            rows = rows_of(unit, branches, placed)
            row.add_node(pydot.Node(ids[name], label=_box(unit, rows, dark, light)))
        rows_of_ids.append([ids[unit.names[0]] for unit in stage])
        ground.add_subgraph(row)
        graph.add_subgraph(ground)
    for unit in units:
        top = ids[unit.names[0]]
        for bottom in [ids[name] for name in unit.bottoms]:
            beside = any({bottom, top} <= set(row) for row in rows_of_ids)
            graph.add_edge(pydot.Edge(bottom, top) if beside else
                           pydot.Edge(f"{bottom}:s", f"{top}:n", weight=0))
    # All rows begin at the left.
    for above, below in zip(rows_of_ids, rows_of_ids[1:]):
        graph.add_edge(pydot.Edge(f"{above[0]}:w", f"{below[0]}:w", style="invis",
                                  weight=100))
    return graph


def _image(unit):
    """The height and width of what a unit gives, () if it is no image."""
    size = unit.shape[2:]
    return size if len(size) == 2 and max(size) > 1 else ()


def _box(unit, rows, dark, light):
    """A unit as graphviz's kind of HTML table."""
    name = escape(unit.names[0])
    if len(unit.names) > 1:
        name += f" – {escape(unit.names[-1])}&#160;&#160;&#160;× {len(unit.names)}"
    lines = [f'<TD BGCOLOR="{dark}"><FONT COLOR="white"><B>{name}</B></FONT></TD>']
    for columns in rows:
        texts = ["<BR/>".join(map(escape, column)) for column in columns]
        if len(texts) > 1:
            texts = ['<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="4" '
                     f'CELLPADDING="4" COLOR="{dark}"><TR>' + "".join(
                         f'<TD BGCOLOR="{light}">{text}</TD>' for text in texts)
                     + "</TR></TABLE>"]
        lines.append(f"<TD>{texts[0]}</TD>")
    if unit.shape[1:]:
        lines.append(f'<TD><FONT COLOR="{dark}"><B>{_by(unit.shape[1:])}</B></FONT>'
                     "</TD>")
    return (f'<<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" '
            f'COLOR="{dark}" BGCOLOR="white">'
            + "".join(f"<TR>{line}</TR>" for line in lines) + "</TABLE>>")


def _escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _by(sizes):
    return " × ".join(map(str, sizes))
