#!/usr/bin/env python3
"""Writes prototxt/: every model's files (or those of the models named).

    .venv/bin/python tools/generate_prototxt.py [MODEL...]
"""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from sknet import models  # noqa: E402
from sknet.files import replacing  # noqa: E402
from sknet.models.folder import files  # noqa: E402

for model in sys.argv[1:] or models.names():
    folder = ROOT / "prototxt" / model
    folder.mkdir(exist_ok=True)
    for file, text in files(model).items():
        with replacing(folder / file) as name:
            Path(name).write_text(text, encoding="utf-8")
