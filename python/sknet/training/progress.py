"""How far a training is: a bar on a terminal, lines elsewhere."""
import sys
import time
from datetime import timedelta


class Progress:
    """total, start: iterations in all, and made before; images: in each."""

    def __init__(self, total, start, images):
        from tqdm import tqdm
        self._bar = tqdm(total=total, initial=start, unit="it", disable=None,
                         dynamic_ncols=True)
        self._total, self._images = total, images
        self._iteration, self._told = start, start
        self._since, self._seconds = time.monotonic(), 0
        self._state = {}

    def step(self, iteration, loss, lr):
        """After so many updates; loss and rate may be None."""
        self._bar.update(iteration - self._iteration)
        self._iteration = iteration
        self._seconds += time.monotonic() - self._since
        self._since = time.monotonic()
        if loss is not None:
            self._state.update(loss=f"{loss:.4g}", lr=f"{lr:.3g}")
        rate = self._bar.format_dict["rate"]
        if rate:
            self._state["images/s"] = f"{rate * self._images:.0f}"
        self._bar.set_postfix(self._state, refresh=False)

    def line(self, measured):
        """Tell of a row of the curves; `measured`: of a validation, or None."""
        if measured:
            self._state.update((f"val {name}", f"{value:.4g}")
                               for name, value in measured.items())
            self._bar.set_postfix(self._state, refresh=False)
        if self._bar.disable or measured:
            self._bar.write(self._text(measured), file=sys.stderr)
        # What validation took is no part of a step.
        self._since = time.monotonic()

    def say(self, text):
        self._bar.write(f"sknet train: {text}", file=sys.stderr)

    def close(self):
        self._bar.close()

    def _text(self, measured):
        parts = [f"{name} {value}" for name, value in self._state.items()
                 if name != "images/s" and (measured or not name.startswith("val "))]
        steps = self._iteration - self._told
        if steps:
            left = (self._total - self._iteration) * self._seconds / steps
            parts += [f"{steps * self._images / self._seconds:.0f} images/s",
                      f"{timedelta(seconds=round(left))} left"]
            self._told, self._seconds = self._iteration, 0
        return f"iteration {self._iteration}/{self._total}: {', '.join(parts)}"
