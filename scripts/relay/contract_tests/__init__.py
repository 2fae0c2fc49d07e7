"""Test a running service against its contract, and report which documented responses were not observed."""
