"""The articles of the shop, in a database that is opened when the module is imported."""

import sqlite3

database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute("CREATE TABLE articles (sku TEXT PRIMARY KEY, pieces INTEGER)")
