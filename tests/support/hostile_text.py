"""Text that a contract may contain, and that controls a terminal, a CI runner or a parser if it is printed raw."""

import re

TEXTS = [
    "\x1b]0;pwned\x07",
    "\x1b[2J\x1b[31mred",
    "\x9b31mred",
    "a\rb",
    "a\x08\x7fb",
    "a\0b",
    "a\x0b\x0c\x85b",
    "\u202egnp.exe",
    "\u2066a\u2069\u200f\u061c",
    "a\u2028b\u2029c",
    "a\u200b\ufeff\xadb",
    "\U000e0041\U000e007f",
    "a\ufffe\uffffb",
    "x\n::stop-commands::pwned\ny",
    "x\r\n  ::add-mask::pwned",
    "::error file=a,line=1::pwned",
    " ::set-output name=a::pwned",
    "##[stop-commands]pwned",
    "##vso[task.setvariable variable=a]pwned",
    "%0A::warning::pwned",
    "a,b:c%2C",
    "]]></failure><failure>",
    "</title></script><script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    '"""\nimport os\n"""',
    "'''\\",
    "\\N{BULLET} \\x41 \\",
    "# type: ignore\n#",
    "[bold]a[/bold]",
    "[/]",
    "{{ 7 * 7 }}{% raw %}",
    "${{ github.token }}",
    "$(touch pwned)`touch pwned`",
    "; touch pwned; '",
]

RAW = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Characters that no output contains."""

COMMAND = re.compile(r"(?m)^\s*::(?!(?:error|warning|notice) file=[^:\n]*,title=[a-z-]+::)|##\w*\[")
"""Commands that a CI runner executes, except the annotations of --format github."""
