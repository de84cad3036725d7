"""LMDBs of Datums, for the tests of this folder."""
import lmdb

from sknet.proto import caffe_pb2


def write_lmdb(path, datums):
    """Write {key: fields of a Datum}, in the order of the keys."""
    with lmdb.open(str(path), map_size=1 << 24) as environment:
        with environment.begin(write=True) as transaction:
            for key, fields in datums.items():
                transaction.put(key.encode(),
                                caffe_pb2.Datum(**fields).SerializeToString())
    return path
