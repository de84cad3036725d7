"""The documents' examples do what they say."""
import re
import shlex
from pathlib import Path

import pytest

from sknet import cli, models
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


@pytest.mark.parametrize("path", [DOCS / "reproduce.md", DOCS.parent / "README.md"],
                         ids=lambda path: path.name)
def test_commands_are_understood(path):
    """Each indented line `sknet VERB ...` is right usage."""
    text = path.read_text().replace("\\\n", " ")
    commands = [shlex.split(line, comments=True)
                for line in re.findall(r"^ {4}sknet (.*)$", text, re.MULTILINE)]
    assert len(commands) > 8
    for command in commands:
        args = cli.parser().parse_args(command)
        assert args.verb == command[0]
