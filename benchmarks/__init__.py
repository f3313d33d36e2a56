"""Timings against floors of the same run; `python benchmarks/run.py` prints all of them."""
