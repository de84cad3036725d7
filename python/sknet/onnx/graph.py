"""An ONNX graph under construction, a Caffe layer at a time."""
import numpy as np
from onnx import helper, numpy_helper


class Names:
    """Names that are given once each."""

    def __init__(self, taken=()):
        self._taken = set(taken)

    def new(self, wanted):
        """Return `wanted`, with a number behind it if that is taken."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


class Graph:
    """Nodes and initializers, in order. `blobs` are the names that values of
    Caffe's own have."""

    def __init__(self, blobs):
        self.nodes, self.initializers = [], []
        self.values, self.node_names = Names(blobs), Names()


class Layer:
    """A Caffe layer that becomes nodes of a Graph.

    param: the LayerParameter.
    bottoms, tops: shapes, in which None is a size that varies.
    blobs: arrays of float32 or float64.
    """

    def __init__(self, graph, param, bottoms, tops, blobs):
        self.param, self.bottoms, self.tops, self.blobs = \
            param, bottoms, tops, blobs
        self._graph, self._nodes = graph, []

    def op(self, kind, *inputs, outputs=1, **attributes):
        """Append a node; return the name of the value that it gives or, where
        `outputs` are more, the list of their names.

        inputs: names of values, "" for one that is left out.
        """
        names = [self._new(kind) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names if outputs > 1 else names[0]

    def constant(self, values, name):
        """Return the name of a value that is always the same: of integers as
        int64, of others as float32."""
        values = np.asarray(values)
        kind = np.int64 if values.dtype.kind == "i" else np.float32
        name = self._new(name)
        self._graph.initializers.append(numpy_helper.from_array(
            np.ascontiguousarray(values, kind).reshape(values.shape), name))
        return name

    def blob(self, index, shape=None):
        """Return the name of a blob as a value: LAYER/INDEX, as in weight files.

        shape: another with as many values.
        """
        data = self.blobs[index].astype(np.float32)
        return self.constant(data if shape is None else data.reshape(shape),
                             str(index))

    def finish(self, results, names):
        """Put the nodes into the graph, the values `results` under the names
        that they have as the layer's tops."""
        renamed = {}
        made = {output for node in self._nodes for output in node.output}
        for result, name in zip(results, names):
            if result in made and result not in renamed:
                renamed[result] = name
            else:
                self._nodes.append(helper.make_node(
                    "Identity", [renamed.get(result, result)], [name]))
        for node in self._nodes:
            for values in node.input, node.output:
                values[:] = [renamed.get(value, value) for value in values]
            own = names and names[0] in node.output
            node.name = self._graph.node_names.new(
                self.param.name if own else node.output[0])
        self._graph.nodes.extend(self._nodes)

    def _new(self, name):
        return self._graph.values.new(f"{self.param.name}/{name}")
