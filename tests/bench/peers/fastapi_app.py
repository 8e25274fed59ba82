"""The peer in Python: FastAPI, asyncpg, redis.asyncio, orjson; served by uvicorn with uvloop and httptools.

Written as the documentations of its parts recommend: pools opened in the lifespan, typed and bounded parameters, a
response class over orjson for answers that need no validation, and asyncpg's own example codec that reads NUMERIC as
float. The last is in the peer's favour: our server writes the exact decimal.
"""

import contextlib
import datetime
import os
from typing import Annotated, Any

import asyncpg
import orjson
import redis.asyncio
from fastapi import FastAPI, HTTPException, Query, Request, Response

COLUMNS = ("uid, date, open, high, low, close, adj_close, volume, dividend, split_ratio, currency, source, quality, "
           "known_at")
ONE = f"SELECT {COLUMNS} FROM mart_price_daily WHERE uid = $1 AND date = $2"
PAGE = f"SELECT {COLUMNS} FROM mart_price_daily WHERE uid = $1 ORDER BY uid, date LIMIT $2"
TTL_S = 600


class ORJSONResponse(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def read_numeric_as_float(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("numeric", encoder=str, decoder=float, schema="pg_catalog")


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.redis = redis.asyncio.from_url(os.environ["REDIS_URL"])
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8,
                                   init=read_numeric_as_float) as app.state.pool:
        yield
    await app.state.redis.aclose()


app = FastAPI(lifespan=lifespan)


async def read_one(request: Request, uid: str, date: datetime.date) -> Response:
    row = await request.app.state.pool.fetchrow(ONE, uid, date)
    if row is None:
        raise HTTPException(404, "no such row")
    return ORJSONResponse({"data": dict(row)})


async def read_page(request: Request, uid: str, limit: int) -> Response:
    rows = await request.app.state.pool.fetch(PAGE, uid, limit)
    return ORJSONResponse({"data": [dict(row) for row in rows]})


async def through_cache(request: Request, key: str, read) -> Response:
    cache = request.app.state.redis
    body = await cache.get(key)
    if body is None:
        answer = await read
        await cache.set(key, answer.body, ex=TTL_S)
        return answer
    read.close()
    return Response(body, media_type="application/json")


Limit = Annotated[int, Query(ge=1, le=50000)]


@app.get("/rows/{uid}/{date}")
async def one(request: Request, uid: str, date: datetime.date):
    return await read_one(request, uid, date)


@app.get("/rows")
async def page(request: Request, uid: str, limit: Limit = 1000):
    return await read_page(request, uid, limit)


@app.get("/cached/rows/{uid}/{date}")
async def cached_one(request: Request, uid: str, date: datetime.date):
    return await through_cache(request, f"fastapi:{uid}:{date}", read_one(request, uid, date))


@app.get("/cached/rows")
async def cached_page(request: Request, uid: str, limit: Limit = 1000):
    return await through_cache(request, f"fastapi:{uid}:{limit}", read_page(request, uid, limit))
