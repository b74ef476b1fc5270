"""Done 6: many requests at once, in order, within capacity; none is lost when the gateway is killed."""

import collections
import concurrent.futures
import threading
import time
import uuid

import media
import pytest
from clips import Clip
from gateway import ENDED, Gateway, wait_until
from rooms import wall

ROOMS = 20
# What one pass-through egress takes of the capacity (README, "Figures").
MILLI_CORES = 5
CLIP = Clip(30, 15, 1.0, kbps=150)


class Load:
    """Live rooms, and many egress requests over them."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.ingress = [gateway.ingress(f"live-{number}") for number in range(ROOMS)]
        self.created, self.most = [], 0
        self.watching = threading.Event()

    def publish(self):
        for ingress in self.ingress:
            self.gateway.publish(ingress, CLIP.path, loop=-1)
        for ingress in self.ingress:
            self.gateway.published(ingress, 20)

    def post(self, count):
        """All requests at once, from some clients; in the order of their answers' creation times."""
        def one(number):
            return self.gateway.egress(f"live-{number % ROOMS}", limits={"durationSeconds": 3}, labels={"n": str(number)})
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.created = list(pool.map(one, range(count)))
        return self.created

    def records(self):
        """Every egress, through all pages."""
        items, cursor = [], None
        while True:
            page = self.gateway.get("/v1/egress?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return {item["id"]: item for item in items}

    def running(self):
        return sum(len(worker["jobs"]) for worker in self.gateway.get("/v1/workers")["items"])

    def wait(self, seconds):
        """Until all have ended; notes the most that ran at once."""
        def look():
            self.most = max(self.most, self.running())
            return self.gateway.get("/v1/egress?active=true&limit=1")["items"] == []
        wait_until(look, seconds, "all egress ended")
        return self.records()

    def jobs(self):
        items, cursor = [], None
        while True:
            page = self.gateway.get("/v1/jobs?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            items += page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return items


def assert_in_order(jobs):
    """Started in the order in which they were created: `startedAt` is when a first frame was safe, which wavers."""
    starts = [wall(job["startedAt"]) for job in sorted(jobs, key=lambda job: (job["createdAt"], job["startedAt"]))]
    late = [a - b for a, b in zip(starts, starts[1:]) if a > b]
    assert not late or max(late) < 1.0, sorted(late)[-5:]


def assert_files(records, least):
    """Each file decodes, and holds its three seconds."""
    def one(record):
        path = record["outputs"][0]["location"]
        frames = int(media.probe(path, "-select_streams", "v", "-count_packets")["streams"][0]["nb_read_packets"])
        assert least <= frames <= 3 * CLIP.fps + 1, (record["id"], frames)
        return media.decodes(path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert all(pool.map(one, records))


def environment(capacity):
    return {
        "SLUICE_LIMITS_EGRESS_CAPACITY": str(capacity * MILLI_CORES),
        "SLUICE_LIMITS_POSTS_PER_SECOND_PER_ADDRESS": "2000", "SLUICE_EGRESS_RESUME_WITHIN": "10s"}


def run_all_at_once(count, capacity, seconds):
    with Gateway(environment=environment(capacity)) as gateway:
        load = Load(gateway)
        load.publish()
        begin = time.monotonic()
        load.post(count)
        posted = time.monotonic()
        records = load.wait(seconds)
        took = time.monotonic() - begin
        states = collections.Counter(record["state"] for record in records.values())
        print(f"{count} posted in {posted - begin:.1f} s, ended after {took:.1f} s: {dict(states)}, at most {load.most} at once")
        assert states == {"limit_reached": count}
        assert load.most <= capacity
        assert_in_order(load.jobs())
        assert_files(records.values(), 3 * CLIP.fps - 1)
        assert len({record["outputs"][0]["location"] for record in records.values()}) == count


def test_many_requests_at_once_all_complete(tmp_path):
    run_all_at_once(60, 30, 40)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_thousand_requests_at_once_all_complete():
    run_all_at_once(1000, 100, 300)


def run_killed_in_the_middle(count, capacity, seconds, folder):
    gateway = Gateway(data=folder, environment=environment(capacity))
    try:
        gateway.start()
        load = Load(gateway)
        load.publish()
        created = load.post(count)
        wait_until(lambda: any(r["state"] in ENDED for r in load.records().values()), 30, "the first have ended")
        time.sleep(1)
        before = load.records()
        gateway.kill()
        gateway.stop()
        gateway.start()
        load.publish()
        records = load.wait(seconds)
        states = collections.Counter(record["state"] for record in records.values())
        ended = [record for record in before.values() if record["state"] in ENDED]
        begun = [r for r in before.values() if r["state"] not in ENDED and r["startedAt"]]
        print(f"before the kill {len(ended)} ended, {len(begun)} had begun; after it {dict(states)}")
        assert set(records) == {record["id"] for record in created}, "no answer that was given is forgotten"
        assert set(states) <= {"limit_reached", "complete"} and sum(states.values()) == count
        for record in ended:
            assert records[record["id"]]["state"] == record["state"], "what had ended stays as it ended"
        whole = [record for record in records.values() if record["attempt"] == 1 and not record["outputs"][0]["parts"]]
        assert_files(whole, 1)
        for record in records.values():
            for part in record["outputs"][0]["parts"]:
                assert media.decodes(part["location"])
    finally:
        gateway.__exit__()


def test_requests_survive_a_killed_gateway(tmp_path):
    run_killed_in_the_middle(60, 20, 60, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_thousand_requests_survive_a_killed_gateway(tmp_path):
    run_killed_in_the_middle(1000, 100, 400, tmp_path)


def test_one_idempotency_key_makes_one_job(gateway):
    ingress = gateway.ingress("once")
    gateway.publish(ingress, CLIP.path)
    gateway.published(ingress)
    key, body = str(uuid.uuid4()), {"room": "once", "outputs": [{"id": "film", "type": "mp4"}]}
    def post(_):
        return gateway.request("POST", "/v1/egress", body, headers={"Idempotency-Key": key})
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    statuses = collections.Counter(answer.status for answer in answers)
    print(f"answers {dict(statuses)}")
    assert set(statuses) <= {201, 409}, statuses
    first = [answer.json["id"] for answer in answers if answer.status == 201]
    assert len(set(first)) == 1, set(first)
    for answer in answers:
        if answer.status == 409:
            assert answer.json["code"] == "request_running" and int(answer.headers["Retry-After"]) >= 0, answer
    replayed = sum(answer.headers.get("Idempotency-Replayed") == "true" for answer in answers)
    assert replayed == len(first) - 1
    assert len(gateway.get("/v1/egress?room=once")["items"]) == 1
    assert len([job for job in gateway.get("/v1/jobs")["items"] if job["room"] == "once"]) == 1
    other = gateway.request("POST", "/v1/egress", dict(body, room="other"), headers={"Idempotency-Key": key})
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    gateway.stop_egress({"id": first[0]})
