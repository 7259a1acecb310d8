"""The baseline of `post`: aiohttp on uvloop that reads the same JSON and does nothing with it. Run with a port."""

import asyncio
import sys

import uvloop
from aiohttp import web


async def take(request: web.Request) -> web.Response:
    asked = await request.json()
    return web.json_response({"characters": len(asked["text"])}, status=201)


async def main(port: int) -> None:
    app = web.Application()
    app.router.add_post("/api/v1/tickets/{number}/note", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
