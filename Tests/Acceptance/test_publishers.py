"""Done 3: what becomes of a recording when its publisher is reset, falls silent, is taken over, or fights another."""

import socket
import struct
import subprocess
import threading
import time

import media
import pytest
from clips import Clip
from gateway import Gateway, wait_until

CLIP = Clip(20, 30, 1.0, 2)


class Relay:
    """A line between an encoder and the gateway that can be cut hard, or fall silent."""

    def __init__(self, port):
        self.target, self.pairs, self.isSilent = port, [], threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((client, server))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                while self.isSilent.is_set():
                    time.sleep(0.05)
                sink.sendall(data)
        except OSError:
            pass

    def reset(self):
        """RST to both sides, as when a router forgets the connection."""
        for pair in self.pairs:
            for each in pair:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.close()
        self.pairs = []

    def close(self):
        self.isSilent.clear()
        self.listener.close()
        self.reset()


@pytest.fixture()
def gateway():
    with Gateway(environment={"SLUICE_LIMITS_RTMP_IDLE": "3s"}) as running:
        yield running


class Stage:
    """An ingress, a recording of its room, and encoders that come to it."""

    def __init__(self, gateway, room, **fields):
        self.gateway, self.room = gateway, room
        self.ingress = gateway.ingress(room, identity="obs", **fields)
        self.egress = gateway.egress(room, createRoom=True, start={"waitSeconds": 60})

    def publish(self, port=None, clip=CLIP, arguments=("-c", "copy")):
        url = f"rtmp://127.0.0.1:{port or self.gateway.rtmp_port}/live/{self.ingress['streamKey']}"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-re", "-i", str(clip.path), *arguments, "-f", "flv", url]
        publisher = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.gateway.publishers.append(publisher)
        return publisher

    def session(self):
        return self.gateway.get(f"/v1/ingress/{self.ingress['id']}")["session"]

    def participants(self):
        return [each["id"] for each in self.gateway.get(f"/v1/rooms/{self.room}/participants")["items"]]

    def is_in(self, state):
        return self.gateway.egress_in(self.egress, state, 40)

    def end(self, folder, publications):
        """Ends the recording: one file, with every publication's pictures in it, each behind a gap."""
        ended = self.gateway.stop_egress(self.egress)
        assert (ended["state"], ended["partial"], ended["outputs"][0]["parts"]) == ("complete", False, []), ended
        film = self.gateway.download(self.egress, "film", folder / "film.mp4")
        assert media.decodes(film)
        keys = [packet for packet in media.packets(film) if "K" in packet["flags"]]
        times = sorted(float(packet["pts_time"]) for packet in media.packets(film))
        holes = [b - a for a, b in zip(times, times[1:]) if b - a > 0.15]
        print(f"{self.room}: {len(times)} pictures, {len(keys)} keys, holes {holes}")
        assert len([each for each in media.probe(film)["streams"] if each["codec_type"] == "video"]) == 1
        return film, holes


def test_a_publisher_that_is_reset_comes_back(gateway, tmp_path):
    stage = Stage(gateway, "reset")
    relay = Relay(gateway.rtmp_port)
    first = stage.publish(relay.port)
    stage.is_in("active")
    who = stage.participants()
    time.sleep(2)
    relay.reset()
    assert first.wait(10) != 0
    stage.is_in("waiting")
    second = stage.publish()
    stage.is_in("active")
    assert stage.participants() == who, "the same participant"
    gateway.published_to_its_end(second, stage.ingress)
    film, holes = stage.end(tmp_path, 2)
    assert media.hashes(film)[-CLIP.frames:] == media.hashes(CLIP.path)
    assert len(holes) == 1 and holes[0] < 8
    relay.close()


@pytest.mark.long
def test_a_publisher_that_falls_silent_is_let_go(gateway, tmp_path):
    stage = Stage(gateway, "silent")
    relay = Relay(gateway.rtmp_port)
    stage.publish(relay.port)
    stage.is_in("active")
    who = stage.participants()
    time.sleep(2)
    relay.isSilent.set()
    at = time.monotonic()
    assert stage.is_in("waiting")["stateReason"] == "source_away"
    assert 2.5 < time.monotonic() - at < 8, "the idle limit is 3 s"
    second = stage.publish()
    stage.is_in("active")
    assert stage.participants() == who
    gateway.published_to_its_end(second, stage.ingress)
    film, holes = stage.end(tmp_path, 2)
    assert media.hashes(film)[-CLIP.frames:] == media.hashes(CLIP.path)
    assert len(holes) == 1
    relay.close()


@pytest.mark.long
def test_an_encoder_takes_over_at_once(gateway, tmp_path):
    stage = Stage(gateway, "takeover")
    first = stage.publish()
    stage.is_in("active")
    who, session = stage.participants(), stage.session()["id"]
    time.sleep(2)
    second = stage.publish()
    wait_until(lambda: (stage.session() or {"id": session})["id"] != session, 5, "the second has taken over")
    assert first.wait(10) != 0
    assert stage.participants() == who
    assert gateway.get(f"/v1/egress/{stage.egress['id']}")["state"] in ("active", "waiting")
    gateway.published_to_its_end(second, stage.ingress)
    film, holes = stage.end(tmp_path, 2)
    assert media.hashes(film)[-CLIP.frames:] == media.hashes(CLIP.path)
    assert all(hole < 2 for hole in holes), holes


def test_two_encoders_do_not_evict_each_other_for_ever(gateway, tmp_path):
    stage = Stage(gateway, "flap")
    isOver = threading.Event()
    def fight():
        while not isOver.is_set():
            encoder = stage.publish()
            while encoder.poll() is None and not isOver.is_set():
                time.sleep(0.1)
            encoder.kill()
            encoder.wait()
            time.sleep(0.3)
    encoders = [threading.Thread(target=fight, daemon=True) for _ in range(2)]
    for encoder in encoders:
        encoder.start()
        time.sleep(1.5)
    stage.is_in("active")
    sessions, since = [], time.monotonic()
    while time.monotonic() < since + 12:
        session = stage.session()
        if session and session["id"] not in sessions:
            sessions.append(session["id"])
            lastChange = time.monotonic() - since
        time.sleep(0.1)
    print(f"{len(sessions)} sessions, the last after {lastChange:.1f} s")
    # Those that came before each other's media do not count as takeovers of a healthy session.
    assert len(sessions) <= 5 and lastChange < 9, (sessions, lastChange)
    assert "somebody is live" in gateway.log()
    isOver.set()
    for encoder in encoders:
        encoder.join(5)
    stage.end(tmp_path, 2)


@pytest.mark.long
def test_an_ingress_may_refuse_a_second_encoder(gateway, tmp_path):
    stage = Stage(gateway, "refuse", onConflict="refuse")
    first = stage.publish()
    stage.is_in("active")
    session = stage.session()["id"]
    second = stage.publish()
    assert second.wait(10) != 0
    assert stage.session()["id"] == session
    gateway.published_to_its_end(first, stage.ingress)
    film, holes = stage.end(tmp_path, 1)
    assert media.hashes(film) == media.hashes(CLIP.path) and holes == []


@pytest.mark.long
@pytest.mark.parametrize("action,seconds", [("leave", 0), ("hold", 4)])
def test_a_publisher_that_is_away_leaves_the_room_when_it_is_said(gateway, tmp_path, action, seconds):
    onDisconnect = {"action": action, "holdSeconds": seconds} if action == "hold" else {"action": action}
    stage = Stage(gateway, f"away-{action}", onDisconnect=onDisconnect)
    first = stage.publish()
    stage.is_in("active")
    (who,) = stage.participants()
    first.kill()
    stage.is_in("waiting")
    if action == "hold":
        assert stage.participants() == [who]
    wait_until(lambda: stage.participants() == [], seconds + 4, "the participant has left")
    second = stage.publish()
    stage.is_in("active")
    assert stage.participants() != [who], "another participant, of the same identity"
    gateway.published_to_its_end(second, stage.ingress)
    film, _ = stage.end(tmp_path, 2)
    assert media.hashes(film)[-CLIP.frames:] == media.hashes(CLIP.path), "in the same track of the same file"


@pytest.mark.parametrize("action, seconds", [("leave", 60), ("hold", 3)])
def test_who_loses_its_encoder_leaves_or_is_held(action, seconds):
    with Gateway() as gateway:
        ingress = gateway.ingress("held", onDisconnect={"action": action, "holdSeconds": seconds})
        look = lambda: gateway.get("/v1/rooms/held/participants")["items"]
        publisher = gateway.publish(ingress, CLIP.path)
        gateway.published(ingress)
        (before,) = look()
        publisher.kill()
        wait_until(lambda: gateway.get(f"/v1/ingress/{ingress['id']}")["state"] == "inactive", 5, "the encoder is gone")
        held = [(each["id"], len(each["tracks"])) for each in look()]
        assert action == "leave" or held == [(before["id"], 2)], held
        wait_until(lambda: not look(), 10, "the participant has left")
        gateway.publish(ingress, CLIP.path)
        gateway.published(ingress)
        (after,) = look()
        assert after["id"] != before["id"] and after["identity"] == before["identity"], (before, after)
        assert [track["id"] for track in after["tracks"]] == [track["id"] for track in before["tracks"]], (before, after)


def test_a_room_lets_in_as_many_as_it_may_and_goes_once_it_is_empty():
    with Gateway() as gateway:
        room = gateway.post("/v1/rooms", {"name": "small", "maxParticipants": 1, "emptyTimeoutSeconds": 1})
        assert (room["maxParticipants"], room["emptyTimeoutSeconds"]) == (1, 1), room
        first, second = (
            gateway.ingress("small", identity=name, onDisconnect={"action": "leave"}) for name in ("one", "two"))
        live = gateway.publish(first, CLIP.path)
        gateway.published(first)
        turned_away = gateway.publish(second, CLIP.path)
        assert turned_away.wait(20) != 0, "nobody comes into a full room"
        assert gateway.get(f"/v1/ingress/{second['id']}")["state"] == "inactive"
        assert gateway.get("/v1/rooms/small")["participantCount"] == 1
        assert gateway.get(f"/v1/ingress/{first['id']}")["state"] == "publishing", "who is in it stays"
        live.terminate()
        wait_until(lambda: gateway.request("GET", "/v1/rooms/small").status == 404, 15, "the empty room is deleted")
        again = gateway.publish(second, CLIP.path)
        gateway.published(second)
        assert gateway.get("/v1/rooms/small")["id"] != room["id"], "a new room of that name"
        again.terminate()
