"""doit's entry: `doit build spec=vgg16_zc706`, `doit list`, `doit help build`."""

import sys
from pathlib import Path

from flow.tasks.table import load

globals().update(load(Path(__file__).resolve().parent, sys.argv))
