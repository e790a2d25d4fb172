"""`python -m tagger …`: hands the command line to `tagger.cli`."""

import sys

from tagger.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
