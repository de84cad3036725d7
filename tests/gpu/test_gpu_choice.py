"""Which GPU, and which thread uses it."""
import threading

import caffe
import pytest
from devices import inputs

NET = inputs(dict(x=(2, 3))) + """
layer { name: 'ip' type: 'InnerProduct' bottom: 'x' top: 'ip'
  inner_product_param { num_output: 2 weight_filler { type: 'xavier' } } }"""


@pytest.mark.parametrize("number", [-1, 1000])
def test_no_such_gpu(number):
    with pytest.raises(caffe.Error) as caught:
        caffe.set_device(number)
    assert caught.value.message.startswith(f"Cannot use GPU {number}: there are ")
    caffe.set_device(0)


def test_a_thread_has_a_mode_of_its_own(write):
    """It begins on the CPU, and changes nobody else's."""
    net = caffe.Net(write(NET), caffe.TEST)
    net.blobs["x"].data[...] = 1
    expected = net.forward()["ip"].copy()
    found = []

    def work():
        found.append(net.forward()["ip"].copy())
        caffe.set_mode_gpu()
        caffe.set_mode_cpu()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0] == pytest.approx(expected)
    assert net.forward()["ip"] == pytest.approx(expected)
