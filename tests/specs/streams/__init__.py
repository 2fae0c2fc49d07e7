"""A weather station, whose measurements are streams of items."""
