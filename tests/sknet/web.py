"""A web server on this machine that misbehaves as told."""
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# In one line, as Google has it.
FORM = (
    '<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>'
    '</head><body><p>weights.caffemodel (105M) is too large to scan.</p>'
    '<form id="download-form" action="{action}" method="get">'
    '<input type="submit" value="Download anyway"/>'
    '<input type="hidden" name="id" value="{id}">'
    '<input type="hidden" name="export" value="download">'
    '<input type="hidden" name="confirm" value="t">'
    '<input type="hidden" name="uuid" value="5b8c"></form></body></html>')
QUOTA = ('<!DOCTYPE html><html><body><p class="uc-error-subcaption">Too many users '
         'have viewed or downloaded this file recently.</p></body></html>')


class Web(ThreadingHTTPServer):
    """Serves `content` at every path.

    url: its address.
    requests: (path, Range header or None) of all requests so far.
    breaks: of the coming answers, at which byte of the content they end; None is
        its end.
    ranges: whether it knows Range. status: of its answers.
    length: what it says the content's length is, if not the true one.
    content_type: of the content. answer: (content, content_type) instead.
    """
    daemon_threads = True

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.requests, self.breaks = [], []
        self.ranges, self.status, self.length = True, 200, None
        self.content_type, self.answer = "application/octet-stream", None
        self.url = f"http://127.0.0.1:{self.server_port}/weights.caffemodel"
        self._thread = threading.Thread(target=self.serve_forever, args=(.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        web, wanted = self.server, self.headers["Range"]
        web.requests.append((self.path, wanted))
        content, kind = web.answer or (web.content, web.content_type)
        status, start = web.status, 0
        if wanted and web.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            status = 206 if start < len(content) else 416
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/"
                             f"{len(content)}")
        if not kind.startswith("text/html"):
            self.send_header("Content-Disposition", "attachment")
        self.send_header("Content-Length",
                         str(web.length or len(content[start:])))
        self.end_headers()
        end = web.breaks.pop(0) if web.breaks else None
        try:
            self.wfile.write(content[start:end])
        except OSError:
            pass  # The client has heard enough.

    def log_message(self, *args):
        pass
