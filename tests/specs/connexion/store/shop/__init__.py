"""The functions of the shop."""
