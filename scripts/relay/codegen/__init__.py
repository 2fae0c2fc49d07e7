"""What a handlers package is, read from its source, and what the contract makes of it.

`sources` and `modules` read; `annotations`, `generated` and `expected` say what the contract wants;
`comparing` and `failures` hold the two against each other; `stubs`, `mending`, `imports` and `renames`
write; `planning` puts a whole run together. Nothing of the package is ever imported.
"""
