"""The current project: its files, its settings, and its handlers package read from source."""
