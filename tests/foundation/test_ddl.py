"""Which tables a statement of a migration changes."""

import pytest

from mozaiks_shell.foundation.ddl import EndsTransaction, changes, touched


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT * FROM identity_user", []),
        ('CREATE TABLE IF NOT EXISTS "shop_item" (id TEXT)', ["shop_item"]),
        ("-- note\n/* more */ DROP TABLE main.shop_item", ["shop_item"]),
        ("INSERT INTO shop_item SELECT * FROM other", ["shop_item"]),
        ("UPDATE a SET x = 1; DELETE FROM b", ["a", "b"]),
        ("WITH old AS (SELECT 1) DELETE FROM identity_user", ["identity_user"]),
        ('ALTER TABLE a RENAME TO "b"', ["a", "b"]),
        ("CREATE UNIQUE INDEX ix ON a (x)", ["a"]),
        ("CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET n = 1; END", ["a"]),
        ("TRUNCATE a", ["a"]),
        ("SAVEPOINT x", []),
        ("ROLLBACK TO x", []),
    ],
)
def test_touched(statement, tables):
    assert touched(statement) == tables


@pytest.mark.parametrize(
    "statement", ["COMMIT", " begin", "END", "ROLLBACK", "/* x */ commit", "SELECT 1; COMMIT", "ATTACH 'x' AS y", "VACUUM"]
)
def test_what_would_end_the_transaction(statement):
    with pytest.raises(EndsTransaction):
        touched(statement)


def test_changes():
    assert changes("CREATE TABLE a (x)") and not changes(" SELECT 1") and not changes("PRAGMA table_info(a)")
