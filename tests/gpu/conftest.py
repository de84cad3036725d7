"""Tests that need a card; each begins on the GPU."""
import caffe
import pytest


@pytest.fixture(autouse=True)
def gpu():
    try:
        caffe.set_mode_gpu()
    except caffe.Error as error:
        pytest.skip(error.message)
    yield
    caffe.set_mode_cpu()
