"""python -m caffe: the caffe command, within Python: with Python layers."""
import ctypes
import os
import sys


def main():
    # The command, built as a library. ctypes lets go of the GIL for the call.
    tool = ctypes.CDLL(os.path.join(os.path.dirname(__file__), '_tool.so'))
    args = [os.fsencode(arg) for arg in ['caffe'] + sys.argv[1:]]
    argv = (ctypes.c_char_p * (len(args) + 1))(*args)
    return tool.main(len(args), argv)


if __name__ == '__main__':
    sys.exit(main())
