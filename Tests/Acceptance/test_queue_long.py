"""A thousand recordings at once, and the same with the gateway killed in the middle."""

import concurrent.futures
import time

import media
import pytest
from gateway import CLIP, ENDED, Gateway, wait_until

pytestmark = pytest.mark.long
ROOMS, REQUESTS = 20, 1000
CONFIGURATION = """
http: { host: 127.0.0.1 }
rtmp: { host: 127.0.0.1 }
keys: { busy: 0123456789abcdef0123456789abcdef }
limits: { posts_per_second_per_address: 100000, egress: { capacity: 2000 } }
"""


def start():
    gateway = Gateway(CONFIGURATION)
    gateway.key, gateway.secret = "busy", "0123456789abcdef0123456789abcdef"
    gateway.start()
    gateway.ingresses = [gateway.ingress(f"room-{number}") for number in range(ROOMS)]
    for ingress in gateway.ingresses:
        gateway.publish(ingress, CLIP, loop=-1)
    for ingress in gateway.ingresses:
        gateway.published(ingress)
    return gateway


def post_all(gateway):
    def post(number):
        return gateway.egress(f"room-{number % ROOMS}", limits={"durationSeconds": 3})
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        return list(pool.map(post, range(REQUESTS)))


def all_ended(gateway, egresses, seconds):
    def look():
        records, cursor = {}, ""
        while cursor is not None:
            page = gateway.get(f"/v1/egress?limit=200{cursor and '&cursor=' + cursor}")
            records.update({record["id"]: record for record in page["items"]})
            cursor = page["nextCursor"]
        mine = [records[each["id"]] for each in egresses]
        return mine if all(record["state"] in ENDED for record in mine) else time.sleep(2)
    return wait_until(look, seconds, "all egress has ended")


def test_a_thousand_at_once():
    gateway = start()
    with gateway:
        egresses = post_all(gateway)
        records = all_ended(gateway, egresses, 1200)
        assert {record["state"] for record in records} <= {"complete", "limit_reached"}, records[:3]
        for record in records:
            assert abs(record["outputs"][0]["durationSeconds"] - 3) < 0.2, record
            assert media.decodes(record["outputs"][0]["location"])
        started = [record["startedAt"] for record in sorted(records, key=lambda record: record["createdAt"])]
        late = sum(1 for a, b in zip(started, started[100:]) if a > b)
        assert late == 0, "they start in the order of their requests"


def test_a_thousand_and_a_crash():
    gateway = start()
    with gateway:
        egresses = post_all(gateway)
        time.sleep(10)
        gateway.kill()
        for publisher in gateway.publishers:
            publisher.kill()
        gateway.publishers = []
        gateway.start()
        for ingress in gateway.ingresses:
            gateway.publish(ingress, CLIP, loop=-1)
        records = all_ended(gateway, egresses, 1500)
        for record in records:
            assert record["state"] in ("complete", "limit_reached") or record["error"] or record["stateReason"], record
            for output in record["outputs"]:
                for part in output["parts"] or ([output] if output["state"] == "complete" else []):
                    assert media.decodes(part["location"])
