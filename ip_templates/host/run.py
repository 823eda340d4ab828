"""The host program: `python3 run.py --help`. What it does is in the folder `board` beside this file."""

import runpy

if __name__ == "__main__":
    runpy.run_module("board", run_name="__main__")
