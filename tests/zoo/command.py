"""The command, run as users run it, for tests in which it must succeed."""
import subprocess
import sys


def sknet(*args):
    """Return what the command printed."""
    done = subprocess.run([sys.executable, "-m", "sknet", *map(str, args)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done
    return done.stdout
