"""`python3 run.py` and `python3 -m board`."""

import sys

from .main import main

sys.exit(main(sys.argv[1:]))
