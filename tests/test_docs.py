"""The documents' examples do what they say."""
import re
from pathlib import Path

from sknet import models
from sknet.models import registry
from sknet.profile import profile

DOCS = Path(__file__).parent.parent / "docs"


def test_adding_a_model(monkeypatch):
    text = (DOCS / "adding_a_model.md").read_text()
    assert len(text.splitlines()) <= 30
    code, = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    exec(code, {})
    # Parameters of He et al.'s ResNet-50, as torchvision counts them.
    assert profile(models.create("resnet50")).total("params") == 25557032
