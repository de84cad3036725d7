"""sknet fetch, from a web server on this machine."""
import hashlib
import json
import shutil

import pytest
import requests

from sknet import models
from sknet.errors import InputError
from sknet.files import digest
from sknet.weights import files
from sknet.weights.blobs import Blob
from sknet.weights.download import FRUITLESS, download
from sknet.weights.fetch import cache, fetch, lock_file
from sknet.weights.fit import slots

from weights_of import random_weights
from web import FORM, QUOTA, Web

MODEL = "shufflenet_v2_sk_0_5"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """The bytes of weights of MODEL."""
    path = tmp_path_factory.mktemp("fetch") / "weights.caffemodel"
    files.write(path, random_weights(slots(models.create(MODEL))))
    return path.read_bytes()


@pytest.fixture
def web(content):
    with Web(content) as server:
        yield server


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def nothing_left():
    """No file in the cache but the lock of processes."""
    return [path.name for path in cache().rglob("*") if path.is_file()] in (
        [], ["fetch.lock"])


def test_a_download(web, content):
    path, bn = fetch(MODEL, web.url)
    assert path == cache() / f"{MODEL}.caffemodel" and bn == "cudnn"
    assert path.read_bytes() == content
    assert json.loads(lock_file().read_text()) == {
        MODEL: dict(sha256=digest(path), source=web.url)}
    assert not list((cache() / "partial").iterdir())
    # What is there is not fetched again.
    requests_before = len(web.requests)
    assert fetch(MODEL, web.url) == (path, bn)
    assert len(web.requests) == requests_before


def test_the_command(sknet, web, content, tmp_path):
    done = sknet("fetch", MODEL, "--from", web.url, "-o", tmp_path / "w.caffemodel")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'w.caffemodel'}\n"
    assert (tmp_path / "w.caffemodel").read_bytes() == content


def test_it_goes_on_where_it_broke_off(web, content):
    # gdown first asks for all of it, and then, elsewhere, for the rest.
    web.breaks = [1 << 20, None, 3 << 20]
    path, _ = fetch(MODEL, web.url)
    assert path.read_bytes() == content
    assert [wanted for _, wanted in web.requests] == [
        None, None, f"bytes={1 << 20}-", None, f"bytes={3 << 20}-"]


def test_it_goes_on_in_the_next_call(web, content, monkeypatch):
    monkeypatch.setattr("sknet.weights.download.TRIES", 1)
    web.breaks = [1 << 20]
    with pytest.raises(InputError, match="broke off 1 times; again goes on"):
        fetch(MODEL, web.url)
    assert not (cache() / f"{MODEL}.caffemodel").exists()
    assert not lock_file().exists()
    path, _ = fetch(MODEL, web.url)
    assert web.requests[-1][1] == f"bytes={1 << 20}-"
    assert path.read_bytes() == content


def test_what_kills_leave(web, content):
    """All of a download, before the file has its place and after."""
    folder = cache() / "partial" / hashlib.sha256(web.url.encode()).hexdigest()[:16]
    for _ in range(2):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(content)
        path, _ = fetch(MODEL, web.url)
        assert path.read_bytes() == content
        assert not folder.exists()


def test_it_gives_up(web, monkeypatch):
    web.breaks = [1000] * 10
    with pytest.raises(InputError, match=f"{web.url}: Download is incomplete"):
        fetch(MODEL, web.url)
    assert len(web.requests) == FRUITLESS + 1


def test_a_server_without_ranges(web, content):
    web.ranges = False
    web.breaks = [1 << 20]
    path, _ = fetch(MODEL, web.url)
    assert path.read_bytes() == content


def test_another_file_since_it_broke_off(web, content, monkeypatch):
    monkeypatch.setattr("sknet.weights.download.TRIES", 1)
    web.breaks = [1 << 20]
    with pytest.raises(InputError):
        fetch(MODEL, web.url)
    monkeypatch.undo()
    web.content = content[:100]
    with pytest.raises(InputError, match="truncated"):
        fetch(MODEL, web.url)


@pytest.mark.parametrize("length, words", [
    (lambda size: size + 10, "byte range|incomplete"),
    (lambda size: size - 10, "truncated")])
def test_a_server_that_lies_about_the_length(web, content, length, words):
    web.ranges = False
    web.length = length(len(content))
    with pytest.raises(InputError, match=words):
        fetch(MODEL, web.url)
    assert not (cache() / f"{MODEL}.caffemodel").exists()


def test_html(web):
    web.content = b"<!DOCTYPE html><html><body>Sign in</body></html>"
    web.content_type = "text/html; charset=utf-8"
    with pytest.raises(InputError, match=f"^{web.url}: an HTML page"):
        fetch(MODEL, web.url)
    assert nothing_left() and not lock_file().exists()


def test_not_found(web):
    web.status = 404
    with pytest.raises(InputError, match=f"^{web.url}: the server says 404"):
        fetch(MODEL, web.url)
    assert nothing_left()


def test_offline(refused):
    with Web(b"") as gone:
        url = gone.url
    refused("fetch", MODEL, "--from", url, naming=[url, "offline"])


def test_another_models_weights(web, content):
    with pytest.raises(InputError, match=f"does not fit .* these are {MODEL}'s"):
        fetch("sknet50", web.url)
    assert nothing_left() and not lock_file().exists()


def test_the_first_hash_is_insisted_on(web, content, tmp_path):
    fetch(MODEL, web.url)
    weights = files.read(cache() / f"{MODEL}.caffemodel")
    changed = tmp_path / "changed.caffemodel"
    weights.layers["classifier"].blobs[1] = Blob(
        weights.layers["classifier"].blobs[1].data + 1)
    files.write(changed, weights)
    shutil.rmtree(cache())
    with pytest.raises(InputError, match=f"{changed}: its SHA-256 is .* insists on"):
        fetch(MODEL, str(changed))
    assert nothing_left()
    web.content = changed.read_bytes()
    with pytest.raises(InputError, match=f"{web.url}: its SHA-256 is"):
        fetch(MODEL, web.url)
    web.content = content
    fetch(MODEL, web.url)


def test_files_and_what_is_there(content, tmp_path):
    mirror = tmp_path / "mirror.caffemodel"
    mirror.write_bytes(content)
    own = tmp_path / "own.caffemodel"
    own.write_bytes(b"mine")
    with pytest.raises(InputError, match="own.caffemodel: is there already; --force"):
        fetch(MODEL, str(mirror), own)
    assert own.read_bytes() == b"mine"
    fetch(MODEL, str(mirror), own, force=True)
    assert own.read_bytes() == mirror.read_bytes() == content


def test_either_convention_of_batch_norms(tmp_path):
    path = tmp_path / "bvlc.caffemodel"
    files.write(path, random_weights(slots(models.create(MODEL, bn="caffe"))))
    assert fetch(MODEL, str(path))[1] == "caffe"


def test_the_published_hash(tmp_path):
    path = tmp_path / "digits.caffemodel"
    files.write(path, random_weights(slots(models.create("sknet_digits"))))
    with pytest.raises(InputError, match="SHA-1 is not the published one"):
        fetch("sknet_digits", str(path))


@pytest.mark.parametrize("content, words", [
    ("{", "cannot be read"), ("[]", "cannot be read"), ('{"a": {}}', "cannot"),
    ('{"a": {"sha256": 1}}', "not a lock file")])
def test_damaged_lock_files(content, words, tmp_path):
    lock_file().parent.mkdir(parents=True)
    lock_file().write_text(content)
    with pytest.raises(InputError, match=f"weights.lock.json: {words}"):
        fetch(MODEL, str(tmp_path))


def test_bad_arguments(refused, tmp_path):
    refused("fetch", "sknet51", naming=["sknet51", "sknet50"])
    refused("fetch", "sknet26", naming=["sknet26", "--from"])
    refused("fetch", MODEL, "--from", tmp_path / "none",
            naming=["none: No such file"])


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match="file/sknet: Not a directory"):
        fetch(MODEL, str(tmp_path / "file"))


class GooglesHosts(requests.adapters.HTTPAdapter):
    """Sends to a Web what is for Google Drive: pages of one host, content of the
    other."""
    page = FORM.format(action="https://drive.usercontent.google.com/download",
                       id="1EKanqFkqoU3L6vgSLW3GjPciesZ2rrUH")
    web = None

    def send(self, request, **settings):
        host, _, path = request.url.removeprefix("https://").partition("/")
        self.web.answer = {
            "drive.google.com": (self.page.encode(), "text/html; charset=utf-8"),
            "drive.usercontent.google.com": None}[host]
        request.url = self.web.url.replace("weights.caffemodel", path)
        return super().send(request, **settings)


@pytest.fixture
def google(web, monkeypatch):
    monkeypatch.setattr(GooglesHosts, "web", web)
    monkeypatch.setattr(requests.Session, "get_adapter",
                        lambda *_, **__: GooglesHosts())
    return web


def test_google_drives_confirmation(google, content):
    """The address in the registry, Google's question about large files, its form,
    and the file."""
    drive = models.get("sknet50").weights
    google.breaks = [None, 1 << 20]
    path = download(drive, cache() / "drive")
    assert path.read_bytes() == content
    assert google.requests[0][0] == "/uc?id=1EKanqFkqoU3L6vgSLW3GjPciesZ2rrUH"
    path, wanted = google.requests[-1]
    assert path.startswith("/download?id=1EKanqFkqoU3L6vgSLW3GjPciesZ2rrUH&")
    assert "confirm=t" in path and "uuid=5b8c" in path
    assert wanted == f"bytes={1 << 20}-"


def test_google_drives_refusal(google, monkeypatch):
    monkeypatch.setattr(GooglesHosts, "page", QUOTA)
    with pytest.raises(InputError, match="drive.google.com/.*Too many users"):
        fetch("sknet50")
    assert nothing_left()
