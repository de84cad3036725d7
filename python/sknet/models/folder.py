"""A model's folder in prototxt/."""
from sknet.commands.generate import generate
from sknet.models.kinds import create
from sknet.models.registry import get
from sknet.profile import profile

CARD = """\
---
{front}
---

# {model.title}

From {model.paper}.

| | |
|---|---|
| input | {settings.channels_text}, {settings.crop}x{settings.crop} |
"""


def files(name):
    """Return {file name: text} of prototxt/NAME. Raises InputError if there is no
    such model."""
    texts = {f"{kind}.prototxt": generate(name, kind)
             for kind in ("train_val", "deploy", "solver")}
    return {**texts, "readme.md": card(name)}
