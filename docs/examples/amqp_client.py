"""Creates a transfer over AMQP and waits for its end. Needs pika; docs/amqp.md explains.

Exit code: 0 completed, 1 ended otherwise or waits for a person, 2 rejected, 3 no answer in time.
"""
import argparse
import json
import os
import sys
import time
import uuid

import pika

args = argparse.ArgumentParser(description=__doc__)
args.add_argument("--url", default=os.environ.get("KIUNGO_AMQP_URL", "amqp://erp:secret@127.0.0.1:5672/kiungo"))
args.add_argument("--prefix", default="kiungo", help="what the names of the exchanges begin with")
args.add_argument("--queue", default="", help="a queue of yours, which outlives this program; if left out, the broker names one")
args.add_argument("--key", default=str(uuid.uuid4()), help="the idempotency key: the same for a repetition")
args.add_argument("--timeout", type=float, default=60.0, help="seconds")
args.add_argument("transfer", help='JSON: {"kind": "deposit", "provider": "mpesa-tz", …}')
args = args.parse_args()

broker = pika.URLParameters(args.url)
channel = pika.BlockingConnection(broker).channel()
channel.confirm_delivery()  # from here on an unroutable or unconfirmed command raises an exception
declared = channel.queue_declare(args.queue, durable=bool(args.queue), exclusive=not args.queue)
queue = declared.method.queue
for topic in ("transfer.#", "command.*"):  # listen before asking, so that no answer is missed
    channel.queue_bind(queue, f"{args.prefix}.events", topic)

command = {"specversion": "1.0", "id": args.key, "source": "/amqp_client", "type": "transfer.create",
           "data": json.loads(args.transfer)}
channel.basic_publish(f"{args.prefix}.commands", command["type"], json.dumps(command), pika.BasicProperties(
    content_type="application/cloudevents+json", message_id=args.key, delivery_mode=2,
    user_id=broker.credentials.username), mandatory=True)

transfer, known, deadline = None, {}, time.monotonic() + args.timeout
for method, _, body in channel.consume(queue, inactivity_timeout=0.5):
    if method is not None:
        event = json.loads(body)
        data, subject, sequence = event["data"], event.get("subject"), event.get("sequence", "")
        if data.get("command") == args.key:
            print(event["type"], data.get("transfer", ""), data.get("reason", ""), flush=True)
            if event["type"] == "kiungo.command.rejected":
                sys.exit(2)
            transfer = data["transfer"]
        elif event["type"].startswith("kiungo.transfer.") and sequence >= known.get(subject, ("",))[0]:
            known[subject] = (sequence, data["transfer"]["status"])  # an older one came again: dropped
        channel.basic_ack(method.delivery_tag)
    status = known.get(transfer, ("", ""))[1]
    if status in ("completed", "failed", "reversed", "suspended", "needs_attention"):
        print(f"kiungo.transfer.{status} {transfer}")
        sys.exit(0 if status == "completed" else 1)
    if time.monotonic() > deadline:
        sys.exit(3)
