"""A net's units, told by the names of its layers.

Layers named X/... are the unit X. So are those named X_... where a layer is named
X, since a unit's last layer has its name: conv2_1/1x1_reduce, conv2_1_3x3 and
conv2_1 are the unit conv2_1, and conv2_10 is another. A unit that does no more
than change another's tops in place is part of that.
"""
from dataclasses import dataclass


@dataclass
class Unit:
    """names: its own, and those of the units like it that follow it.
    layers: its ShapedLayers.
    bottoms: the names of the units that it follows.
    shape: what the last of them gives; () if nothing.
    """
    names: list
    layers: list
    bottoms: list
    shape: tuple = ()


def units_of(layers):
    """Return the Units of a net's ShapedLayers, in order; a row of units that
    differ in no parameter of a layer is one."""
    names = {layer.param.name for layer in layers}
    owners = [_owner(layer.param.name, names) for layer in layers]
    making = {owner for owner, layer in zip(owners, layers) if not layer.param.top
              or set(layer.param.top) - set(layer.param.bottom)}
    units, makers = {}, {}
    for owner, layer in zip(owners, layers):
        if owner not in making:
            owner = makers[layer.param.bottom[0]]
        unit = units.setdefault(owner, Unit([owner], [], []))
        unit.layers.append(layer)
        for bottom in layer.param.bottom:
            if makers[bottom] not in [owner, *unit.bottoms]:
                unit.bottoms.append(makers[bottom])
        for top in layer.param.top:
            makers.setdefault(top, owner)
        unit.shape = layer.tops[0] if layer.tops else unit.shape
    return _joined(list(units.values()))


def _owner(name, names):
    """The unit of a layer, of all the net's `names`."""
    unit = name.partition("/")[0]
    shorter = unit
    while shorter := shorter.rpartition("_")[0]:
        if shorter in names:
            return _owner(shorter, names)
    return unit


def _joined(units):
    rows = []
    for unit in units:
        last = rows[-1] if rows else None
        if (last and last.names[-1] in unit.bottoms
                and set(unit.bottoms) <= {*last.names, *last.bottoms}
                and unit.shape[2:] == last.shape[2:]
                and _likeness(unit) == _likeness(last)):
            last.names += unit.names
            last.shape = unit.shape
        else:
            rows.append(unit)
    for unit in rows:
        unit.bottoms = list(dict.fromkeys(
            row.names[0] for name in unit.bottoms for row in rows
            if name in row.names))
    return rows


def _likeness(unit):
    """The parameters of a unit's layers."""
    alike = []
    for layer in unit.layers:
        param = type(layer.param)()
        param.CopyFrom(layer.param)
        for field in ("name", "bottom", "top"):
            param.ClearField(field)
        alike.append(param.SerializeToString(deterministic=True))
    return alike
