"""`python -m mapsearch` is the command `mapsearch`."""

import sys

from mapsearch.cli import main

sys.exit(main())
