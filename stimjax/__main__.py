"""`python -m stimjax` is the `stimjax` command."""

import sys

from stimjax.command.main import main

sys.exit(main())
