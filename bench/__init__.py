"""Benchmarks as ratios against a reference measured in the same run; see `make bench`."""
