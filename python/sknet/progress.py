"""How far long work is: a bar on a terminal, elsewhere a line now and then."""
import sys

SECONDS = 30  # between lines


def progress(total, unit, done=0):
    """Return a tqdm of `total` things, of which `done` were done before; on
    standard error."""
    from tqdm import tqdm
    if sys.stderr.isatty():
        return tqdm(total=total, initial=done, unit=unit, smoothing=0.1)
    return tqdm(total=total, initial=done, unit=f" {unit}s", file=_Lines(),
                mininterval=SECONDS, maxinterval=SECONDS, bar_format="{n_fmt}/"
                "{total_fmt}{unit}, {rate_noinv_fmt}, {remaining} left")


class _Lines:
    """A file for tqdm, which would draw each state over the last."""

    _last = None

    def write(self, text):
        text = text.strip()
        if text and text != self._last:
            print(text, file=sys.stderr)
            self._last = text

    def flush(self):
        sys.stderr.flush()
