"""All cases."""

from __future__ import annotations

from tests.differential import table_handshake, table_polling

TABLE = [*table_handshake.TABLE, *table_polling.TABLE]
