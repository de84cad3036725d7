"""Variables that the libraries beneath Caffe read when they are loaded, which is
after this; caffe_launcher.py runs it, too."""
import os

# GNU's OpenMP, whose threads oneDNN uses: by default they spin while they wait,
# which beside other work takes many times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
