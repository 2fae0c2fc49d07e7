"""Compare a handlers package with its contract, and generate or edit the handlers' source.

`package_state`, `handler_lookup`, `named_handlers` and `raised_errors` read the package; `types_module`,
`expected_signature` and `documented_results` derive what the contract requires; `drift`, `signature_diff`,
`return_diff` and `missing_hooks` compare the two; `stubs`, `signature_edit`, `import_edit`, `renames` and
`move_edit` edit source; `plan` combines the steps into one run. The package is never imported.
"""
