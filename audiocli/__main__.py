"""python -m audiocli."""

from .cli import main

main()
