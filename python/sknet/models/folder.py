"""A model's folder in prototxt/."""
from sknet.commands.generate import generate
from sknet.models.kinds import create
from sknet.models.registry import get
from sknet.profile import profile


def files(name):
    """Return {file name: text} of prototxt/NAME. Raises InputError if there is no
    such model."""
    return {**{f"{kind}.prototxt": generate(name, kind)
               for kind in ("train_val", "deploy", "solver")},
            "readme.md": _readme(name)}


def _readme(name):
    """The model's page, headed by what Caffe's model zoo scripts read."""
    model, costs = get(name), profile(create(name))
    settings = model.preprocessing
    front = {"name": model.title, "caffemodel": f"{name}.caffemodel",
             "caffemodel_url": model.weights, "license": model.licence,
             "sha1": model.sha1}
    head = "".join(f"{key}: {value}\n" for key, value in front.items() if value)
    remark = f"- {model.remark}\n" if model.remark else ""
    mean = ", ".join(f"{value:g}" for value in settings.mean)
    return f"""\
---
{head}---

{model.title}, of {model.paper}

- input: {settings.channels.upper()} of 0-255, minus {mean}, times {settings.scale:g}; \
{settings.crop}x{settings.crop} from the centre of an image whose shorter side is \
{settings.shorter_side}
- {costs.total("params"):,} learnable parameters, {costs.total("macs"):,} multiply-adds
{remark}
Made by tools/generate_prototxt.py; other sizes, classes and layers by
`sknet generate {name}`.
"""
