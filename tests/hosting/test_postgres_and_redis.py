"""The same product on PostgreSQL and Redis, as one would run several processes of it (D1, D8)."""

import psycopg
import redis

from tests.invariants.product import assembled
from tests.live import Site
from tests.people import People
from tests.tab import Tab


async def test_the_product_runs_on_postgresql_and_redis(live, tmp_path, postgres_url, redis_url):
    server = Site.copy("postgres").serve(tmp_path / "data", DATABASE_URL=postgres_url, REDIS_URL=redis_url)
    try:
        ada = People(server.base).ada
        assert ada.client().get("/").status_code == 200
        async with Tab(server.base, ada.cookie) as tab:
            enter = next(one["name"] for one in assembled()["handlers"] if one["name"].endswith("____frame.enter"))
            frames = await tab.call(enter, {})
        assert any("Ada Lovelace" in frame for frame in frames)
        with psycopg.connect(postgres_url) as connection:
            rows = connection.execute("SELECT username, app_id FROM identity_user ORDER BY username").fetchall()
        assert rows == [("ada", "dev-app"), ("root", "dev-app")]
        with redis.Redis.from_url(redis_url) as client:
            assert client.keys(), "page state lives in Redis"
        assert not (tmp_path / "data" / "mozaiks.db").exists()
        assert "postgresql (" in server.tail()
    finally:
        server.stop()
