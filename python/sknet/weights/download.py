"""Large files from the web, Google Drive's among them.

By gdown, which follows Google's confirmation pages as they change, asks for the
rest of a file only, and compares lengths. What is ours is patience: when to go on,
when to begin anew, and when to give up.
"""
import shutil

from sknet.errors import InputError

TIMEOUT = 30  # seconds without an answer
TRIES = 20  # at going on after the connection broke off
FRUITLESS = 2  # of them without any progress


def download(url, folder):
    """Return the path of a new file in `folder`, a Path: the one at a URL. The
    folder is for this file alone; what came before a failure stays in it, and the
    next call goes on from there.

    Raises InputError if the file cannot be had.
    """
    import gdown
    from gdown.exceptions import DownloadError
    from requests import RequestException
    from tqdm import tqdm
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "file"
    # Without a terminal there is no bar to draw.
    with tqdm(unit="B", unit_scale=True, disable=None) as bar:
        def show(done, total):
            bar.total = total
            bar.update(done - bar.n)

        fruitless = 0
        for _ in range(TRIES):
            before = _size(folder)
            try:
                gdown.download(url, str(path), quiet=True, use_cookies=False,
                               resume=True, timeout=TIMEOUT, progress=show)
                return path
            except (DownloadError, RequestException) as error:
                if _size(folder) > before:
                    continue
                fruitless += 1
                # Not its subclass, which speaks of Google's permissions.
                if type(error) is not DownloadError or fruitless > FRUITLESS:
                    raise InputError(f"{url}: {_reason(error)}") from error
                # The server gives no parts, or the file is another now.
                shutil.rmtree(folder)
                folder.mkdir()
    raise InputError(f"{url}: broke off {TRIES} times; again goes on from there")


def _size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def _reason(error):
    """A line of what gdown or requests say."""
    from requests import ConnectionError, HTTPError, Timeout
    if isinstance(error, HTTPError):
        return f"the server says {error.response.status_code} " \
            f"{error.response.reason}"
    if isinstance(error, (ConnectionError, Timeout)):
        return "cannot be reached; are you offline? --from FILE takes a copy from " \
            f"elsewhere ({type(error).__name__})"
    return " ".join(str(error).split())
