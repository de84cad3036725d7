"""A server answers with the address of a file of the user's, which would become
the weights, to be converted and passed on."""
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sknet.errors import InputError
from sknet.weights.download import download


@pytest.fixture
def redirecting():
    """redirecting(address) → the URL of a server that sends everybody there."""
    servers = []

    def start(address):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(302)
                self.send_header("Location", address)
                self.end_headers()

            def log_message(self, *args):
                pass
        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/weights"
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("scheme", ["file://{}", "file://localhost{}", "ftp://x{}"])
def test_redirection(tmp_path, redirecting, scheme):
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    with pytest.raises(InputError, match="^http://127.0.0.1"):
        download(redirecting(scheme.format(secret)), tmp_path / "download")
    assert not [path for path in (tmp_path / "download").rglob("*")
                if "a secret" in path.read_text()]


def test_address(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    with pytest.raises(InputError):
        download(f"file://{secret}", tmp_path / "download")
