"""A network between a tool and a server of this machine: what is sent arrives a little later."""

import asyncio
import threading

# what a server in the next data centre is away, there and back, in seconds
ROUND_TRIP = 0.002


class Network:
    """Passes on what comes to a port of its own, with a delay; lives as long as its `with` block."""

    def __init__(self, port):
        self.to = port
        self.port = None
        self.loop = asyncio.new_event_loop()

    def __enter__(self):
        ready = threading.Event()
        threading.Thread(target=self.carry, args=(ready,), daemon=True).start()
        ready.wait()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)

    def carry(self, ready):
        asyncio.set_event_loop(self.loop)
        listening = asyncio.start_server(self.connected, "127.0.0.1", 0)
        server = self.loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def connected(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        await asyncio.gather(self.later(reader, far_writer), self.later(far_reader, writer))

    async def later(self, reader, writer):
        """Order is kept, since what is due at once is done in the order in which it was asked for."""
        while data := await read(reader):
            self.loop.call_later(ROUND_TRIP / 2, writer.write, data)
        self.loop.call_later(ROUND_TRIP / 2, writer.close)


async def read(reader):
    try:
        return await reader.read(1 << 16)
    except ConnectionError:
        return b""
