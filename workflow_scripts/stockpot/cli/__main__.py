"""``python -m stockpot.cli`` is the command ``stockpot``."""

import sys

from . import main

sys.exit(main())
