"""The prototxts of the small nets that these tests run."""


def python_layer(cls, bottom="data", top="top", param_str="", name="layer"):
    """The prototxt of a Python layer of a test module's class."""
    bottom = f"bottom: '{bottom}'" if bottom else ""
    return f"""
    layer {{ name: '{name}' type: 'Python' {bottom} top: '{top}'
      python_param {{ module: '{cls.__module__}' layer: '{cls.__name__}'
                      param_str: '{param_str}' }} }}"""


def input_layer(*dims):
    dims = " ".join(f"dim: {dim}" for dim in dims)
    return f"""
    force_backward: true
    layer {{ name: 'data' type: 'Input' top: 'data'
      input_param {{ shape {{ {dims} }} }} }}"""


# y = w·x towards 0, from random data: a solver's smallest net.
REGRESSION = """
layer { name: 'data' type: 'DummyData' top: 'data' top: 'goal'
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
    data_filler { type: 'gaussian' } data_filler { type: 'constant' } } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'data' top: 'ip'
  inner_product_param { num_output: 2 weight_filler { type: 'xavier' } } }
layer { name: 'loss' type: 'EuclideanLoss' bottom: 'ip' bottom: 'goal'
  top: 'loss' }"""
