"""Run the command line as ``python -m stylemix``."""

from stylemix.cli import main

if __name__ == "__main__":
    main()
