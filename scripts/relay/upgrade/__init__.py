"""Move a contract to a newer version of OpenAPI, in the text of its files."""
