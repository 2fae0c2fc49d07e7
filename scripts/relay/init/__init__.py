"""A contract → the project around it: handlers, tests, scripts, and what runs them in CI and in production."""
