"""Runs a build's schedule on a board: configure, load weights, stream a batch, read it back.

Needs Python 3.8 and numpy, and on a board what drives it (`pynq`, `pyxrt`, or files below /sys and /dev).
"""
