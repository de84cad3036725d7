import sys

from sknet.cli import main

sys.exit(main())
