"""Every schema the record has had, as Alembic revisions. From 0002 on they only add to ledger tables."""
