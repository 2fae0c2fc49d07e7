"""Keys that tests seal with."""

from handlers._store.keyring import read_keyring

OLD, NEW = "old:" + "0" * 43, "new:" + "4" * 43
"""Entries, as RELAY_KEYRING takes them."""

OLD_ONLY, NEW_ONLY, BOTH = read_keyring(OLD), read_keyring(NEW), read_keyring(f"{NEW} {OLD}")
