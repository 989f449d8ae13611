"""All cases."""

from __future__ import annotations

from tests.differential import table_handshake, table_polling, table_third, table_upgrade, table_web

TABLES = (table_handshake, table_polling, table_third, table_upgrade, table_web)
TABLE = [case for table in TABLES for case in table.TABLE]
