"""`python -m hub.bench`: the same as `parley bench`."""

from hub.bench.cli import bench

bench(prog_name="parley bench")
