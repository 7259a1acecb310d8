"""`python -m hub`: the same as `parley`."""

from hub.cli import main

main()
