"""``python -m bench``, for who cannot rely on the search path for commands."""

from bench.cli.main import main

if __name__ == "__main__":
    main()
