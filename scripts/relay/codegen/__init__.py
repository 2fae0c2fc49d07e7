"""Compare a handlers package with its contract, and generate or edit the handlers' source.

`package_state` and `handler_lookup` read the package; `annotations`, `types_module` and
`expected_signature` derive what the contract requires; `drift`, `signature_diff` and `error_bodies`
compare the two; `stubs`, `signature_edit`, `import_edit` and `renames` edit source; `plan` combines the
steps into one run. The package is never imported.
"""
