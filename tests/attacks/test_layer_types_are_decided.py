"""A new type of layer is allowed nothing until somebody has thought of it."""
import caffe

# Python runs code, HDF5Output overwrites a file.
TRUSTED_ONLY = {"Python", "HDF5Output"}


def test_every_type_is_decided():
    compute, read = map(caffe.allowed_layer_types, ("compute", "read"))
    decided = [*compute, *read, *TRUSTED_ONLY]
    assert len(decided) == len(set(decided))
    assert set(decided) == set(caffe.layer_type_list())
