"""A lock with a password."""

PASSWORDS = {"ada": "lace"}


def known_user(username, password):
    """Return who has a password; None for a wrong one."""
    return {"sub": username} if PASSWORDS.get(username) == password else None


def open_door(user) -> str:
    """Open the door for somebody."""
    return f"open for {user}"
