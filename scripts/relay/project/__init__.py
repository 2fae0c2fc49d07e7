"""The project that a command works on: its files and its handlers package, read from source."""
