"""One stream through the whole of it: ffmpeg in, MP4 and RTMP out, frame by frame."""

import concurrent.futures

import media
from gateway import CLIP


def test_a_recording_holds_every_frame_that_was_published(gateway, tmp_path):
    ingress = gateway.ingress("film")
    egress = gateway.egress("film", createRoom=True, start={"waitSeconds": 20})
    publisher = gateway.publish(ingress)
    gateway.egress_in(egress, "active")
    gateway.published_to_its_end(publisher, ingress)
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete", ended
    output = ended["outputs"][0]
    assert output["state"] == "complete" and abs(output["durationSeconds"] - 12) < 0.05, output
    film = gateway.download(egress, "film", tmp_path / "film.mp4")
    assert film.stat().st_size == output["sizeBytes"]
    assert media.hashes(film) == media.hashes(CLIP)
    assert media.hashes(film, "a") == media.hashes(CLIP, "a")
    assert media.decodes(film)
    media.assert_in_sync(film, frames=360, first=0, last=359)


def test_one_request_records_and_pushes(gateway, tmp_path):
    source, mirror = gateway.ingress("both"), gateway.ingress("mirror")
    outputs = [
        {"id": "film", "type": "mp4"},
        {"id": "push", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"},
    ]
    both = gateway.egress("both", outputs, createRoom=True, start={"waitSeconds": 20})
    copy = gateway.egress("mirror", createRoom=True, start={"waitSeconds": 20})
    publisher = gateway.publish(source)
    gateway.egress_in(copy, "active")
    gateway.published_to_its_end(publisher, source)
    first, second = gateway.stop_egress(both), gateway.stop_egress(copy)
    assert first["state"] == second["state"] == "complete", (first, second)
    shown = str(first)
    assert mirror["streamKey"] not in shown, "the destination's key is a secret"
    for egress, name in [(both, "first.mp4"), (copy, "second.mp4")]:
        film = gateway.download(egress, "film", tmp_path / name)
        media.assert_in_sync(film, frames=360, first=0, last=359)


def test_a_recording_begins_at_the_key_frame_that_the_room_holds(gateway, tmp_path):
    ingress = gateway.ingress("late")
    publisher = gateway.publish(ingress)
    gateway.published(ingress)
    egress = gateway.egress("late")
    gateway.egress_in(egress, "active")
    gateway.published_to_its_end(publisher, ingress)
    assert gateway.stop_egress(egress)["state"] == "complete"
    film = gateway.download(egress, "film", tmp_path / "late.mp4")
    report = media.assert_in_sync(film, last=359)
    assert report["video"]["first"] % 60 == 0, "the clip has a key frame every 60 frames"
    assert media.packets(film)[0]["flags"].startswith("K")


def test_an_unknown_key_is_refused_before_anything_starts(gateway):
    publisher = gateway.publish({"streamKey": "no-such-key"})
    assert publisher.wait(15) != 0
    assert gateway.get("/v1/rooms")["items"] == [] or all(
        room["name"] != "no-such-key" for room in gateway.get("/v1/rooms")["items"])


def test_one_idempotency_key_fifty_times(gateway):
    ingress = gateway.ingress("once")
    gateway.publish(ingress, CLIP, loop=-1)
    gateway.published(ingress)
    body = {"room": "once", "outputs": [{"id": "film", "type": "mp4"}]}
    def post(_):
        return gateway.request("POST", "/v1/egress", body, headers={"Idempotency-Key": "the-same"})
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status for answer in answers} <= {201, 409}, answers
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == 1
    assert len(gateway.get("/v1/egress?room=once")["items"]) == 1
    gateway.stop_egress(gateway.get("/v1/egress?room=once")["items"][0])
