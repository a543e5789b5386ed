"""An operator that knows nothing of Coxswain but its subjects: publishes one message and prints each receipt until one is final."""
import asyncio
import json
import sys

import nats


async def main(url: str, user: str, password: str, task: str, payload: bytes) -> None:
    client = await nats.connect(url, user=user, password=password, connect_timeout=60)
    receipts = await client.subscribe(f"cox.tasks.{task}.status")
    await client.publish(f"cox.tasks.{task}.steering", payload)
    async for message in receipts.messages:
        for receipt in json.loads(message.data).get("receipts", []):
            print(json.dumps(receipt), flush=True)
            if receipt["fate"] in ("applied", "returned"):
                await client.close()
                return


url, user, password, task = sys.argv[1:5]
asyncio.run(main(url, user, password, task, sys.stdin.buffer.read()))
