"""The page that netron serves; no browser."""
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from sknet import models
from sknet.text import to_text

from net_files import write_net

pytest.importorskip("netron")


@pytest.fixture
def served():
    """served(arguments...) → (the process, the address) of `sknet view`, once it
    says that it serves."""
    processes = []

    def start(*args):
        process = subprocess.Popen(
            [sys.executable, "-m", "sknet", "view", "--no-browser", *map(str, args)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # Background jobs may start with it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        processes.append(process)
        return process, re.search(r"http://\S+", process.stdout.readline()).group()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def read(address):
    with urllib.request.urlopen(address) as page:
        return page.read().decode()


def test_a_model_and_ctrl_c(served):
    process, address = served("sknet_digits")
    assert read(f"{address}/data/sknet_digits.prototxt") == to_text(
        models.create("sknet_digits"))
    assert "/data/sknet_digits.prototxt" in read(address)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_file_alone_is_served(served, tmp_path):
    path = write_net(tmp_path / "my_net.prototxt", models.create("sknet_digits"))
    (tmp_path / "secret").write_text("secret")
    _, address = served(path)
    assert "/data/my_net.prototxt" in read(address)
    with pytest.raises(urllib.error.HTTPError):
        read(f"{address}/data/secret")


def test_port(served, refused):
    _, address = served("sknet_digits")
    port = address.rpartition(":")[2]
    refused("view", "sknet_digits", "--no-browser", "--port", port,
            naming=["--port", port, "in use"])
    refused("view", "sknet_digits", "--no-browser", "--port", 100000,
            naming=["--port 100000"])


def test_what_is_wrong_is_named(refused, tmp_path):
    refused("view", "sknet5", naming=["sknet5", "no such file"])
    bad = tmp_path / "bad.prototxt"
    bad.write_text("nonsense")
    refused("view", bad, naming=[str(bad), "not a prototxt"])


def test_missing_netron_is_named():
    code = ("import sys; sys.modules['netron'] = None; "
            "from sknet.cli import main; sys.exit(main(['view', 'sknet_digits']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert done.stderr == ("sknet view: viewing needs the package netron: "
                           "pip install netron\n")
