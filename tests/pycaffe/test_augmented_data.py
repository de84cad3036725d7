"""AugmentedData, where several nets read."""
import caffe
import lmdb
import numpy as np

NET = """
layer {{ name: "data" type: "AugmentedData" top: "data" top: "label"
        data_param {{ source: "{}" backend: LMDB batch_size: 6 }} }}"""


def test_two_nets_read_one_lmdb(tmp_path):
    """Each opens it, while threads of the other read."""
    # So large that threads are still reading when the other net opens it.
    pixels = np.zeros((3, 128, 128), np.uint8)
    with lmdb.open(str(tmp_path / "lmdb"), map_size=1 << 26) as database, \
            database.begin(write=True) as transaction:
        for number in range(160):
            transaction.put(f"{number:08d}".encode(), caffe.io.array_to_datum(
                pixels + number % 100, number).SerializeToString())
    prototxt = tmp_path / "net.prototxt"
    prototxt.write_text(NET.format(tmp_path / "lmdb"))
    first, seen = caffe.Net(str(prototxt), caffe.TEST), []
    for _ in range(200):
        second = caffe.Net(str(prototxt), caffe.TEST)
        second.forward()
        assert second.blobs["label"].data.tolist() == [0, 1, 2, 3, 4, 5]
        for _ in range(20):
            first.forward()
            seen += first.blobs["label"].data.astype(int).tolist()
            np.testing.assert_array_equal(
                first.blobs["data"].data[:, 0, 0, 0],
                first.blobs["label"].data % 100)
    assert seen == [number % 160 for number in range(len(seen))]
