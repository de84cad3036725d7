"""The model zoo: `create("sknet50", "deploy")` → NetParameter.

A family of models is a file; a model in it is one function with the decorator
`register`.
"""
# isort: off. Their order here is that of `names()`.
from sknet.models import sknet  # noqa: F401 (registers its models, as do all)
from sknet.models import senet  # noqa: F401
from sknet.models import resnext  # noqa: F401
from sknet.models import bam  # noqa: F401
from sknet.models import cbam  # noqa: F401
from sknet.models import residual_attention  # noqa: F401
from sknet.models import shufflenet_v2  # noqa: F401
from sknet.models import inception_v3  # noqa: F401
from sknet.models import inception_v4  # noqa: F401
from sknet.models import inception_resnet_v2  # noqa: F401
from sknet.models import dpn  # noqa: F401
# isort: on
from sknet.models.kinds import KINDS, create
from sknet.models.registry import get, names

__all__ = ["KINDS", "create", "get", "names"]
