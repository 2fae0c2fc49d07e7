"""Articles: a controller that the contract names, and a module next to the package."""

from store import database


class Articles:
    """The articles of the shop."""

    @staticmethod
    def put(sku, article):
        """Keep an article."""
        database.execute("INSERT OR REPLACE INTO articles VALUES (?, ?)", (sku, article["pieces"]))
        return article, 201

    @classmethod
    def get(cls, sku):
        """Return an article."""
        found = database.execute("SELECT pieces FROM articles WHERE sku = ?", (sku,)).fetchone()
        return {"pieces": found[0]} if found else ({"code": "none"}, 404)
