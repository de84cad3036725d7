"""A net under construction."""
from sknet.errors import InputError
from sknet.proto import caffe_pb2


class Graph:
    """A NetParameter that blocks add layers to.

    num_classes: outputs of the classifier.
    size: height and width of the input in pixels.
    global_pool: whether the last pool is global, rather than of the fixed
        window that the model was published with.
    """

    def __init__(self, name, num_classes, size, global_pool):
        self.net = caffe_pb2.NetParameter(name=name)
        self.num_classes = num_classes
        self.size = size
        self.global_pool = global_pool

    def layer(self, name, kind, *bottoms, tops=None, **fields):
        """Append a layer of the type `kind` and return its first top's name.

        `tops` is by default one, with the layer's name. The fields are
        LayerParameter's, messages among them as dicts. Raises InputError if one
        cannot hold its value.
        """
        tops = [name] if tops is None else tops
        try:
            self.net.layer.add(name=name, type=kind, bottom=bottoms, top=tops,
                               **fields)
        except ValueError as error:
            # A number that is too large for its field.
            raise InputError(f"layer {name}: {error}") from error
        return tops[0]
