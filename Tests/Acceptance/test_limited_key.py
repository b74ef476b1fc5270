"""A key that is limited to rooms, on every route of openapi.json."""

import json

import pytest
from clips import Clip
from gateway import ROOT, Gateway, token

MAIN, ACME = (f"{name}-secret-0123456789abcdef0123456789" for name in ("main", "acme"))
# What says nothing of any room: open to who holds the grant, or to everybody.
GLOBAL = {"/healthz", "/readyz", "/metrics", "/", "/v1/openapi.json", "/v1/pipelines", "/v1/pipelines/{name}"}
HIDDEN = "secretroom"
NOWHERE = {
    "room": "nowhere", "identity": "nobody", "track": "TR_aaaaaaaaaaaa", "output": "film", "path": "x.mp4", "name": "none",
    "/v1/egress": "EG_aaaaaaaaaaaa", "/v1/ingress": "IN_aaaaaaaaaaaa", "/v1/jobs": "JB_aaaaaaaaaaaa",
    "/v1/tapes": "TP_aaaaaaaaaaaa", "/v1/compositions": "CO_aaaaaaaaaaaa", "/hls/nosuchlink": "EG_aaaaaaaaaaaa",
    "file": "film.mp4", "link": "nosuchlink"}


@pytest.fixture(scope="module")
def gateway():
    text = f"""
http: {{ host: 127.0.0.1 }}
rtmp: {{ host: 127.0.0.1 }}
pipelines: {ROOT}/pipelines
shutdown: {{ wait: 0s }}
keys:
  main: {MAIN}
  acme: {{ secret: {ACME}, rooms: "acme-*" }}
"""
    with Gateway(text) as running:
        running.key, running.secret = "main", MAIN
        yield running


def resources(gateway, room):
    """A live publisher, an egress that runs and one that has ended with its file; the ids of it all."""
    ingress = gateway.ingress(room, identity=f"{room}-camera", labels={"of": room})
    publisher = gateway.publish(ingress, Clip(6, 30).path, loop=-1)
    gateway.published(ingress)
    running = gateway.egress(room, labels={"of": room})
    outputs = [{"id": "film", "type": "mp4"}, {"id": "raw", "type": "tape"}]
    ended = gateway.egress(room, outputs, labels={"of": room})
    for egress in (running, ended):
        gateway.egress_in(egress, "active")
    assert gateway.stop_egress(ended)["state"] == "complete"
    files = gateway.get(f"/v1/egress/{ended['id']}/files")["items"]
    jobs = {job["subject"]: job["id"] for job in gateway.get("/v1/jobs")["items"]}
    (tape,) = [tape["id"] for tape in gateway.get("/v1/tapes")["items"] if tape["room"] == room]
    participants = gateway.get(f"/v1/rooms/{room}/participants")["items"]
    return {
        "room": room, "identity": participants[0]["identity"], "track": participants[0]["tracks"][0]["id"],
        "output": "film", "path": files[0]["path"], "name": "record-mp4", "publisher": publisher,
        "/v1/egress": ended["id"], "running": running["id"], "/v1/ingress": ingress["id"], "/v1/jobs": jobs[ended["id"]],
        "/v1/tapes": tape, "/v1/compositions": "CO_aaaaaaaaaaaa", "roomId": running["roomId"],
        "/hls/nosuchlink": ended["id"], "link": "nosuchlink", "file": files[0]["path"].rsplit("/", 1)[-1]}


def filled(path, ids):
    """The path with the ids of one room in the place of its names."""
    for word in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        value = ids.get("/".join(path.split("/")[:3])) if word == "id" else ids.get(word)
        assert value is not None, f"say here what stands for {{{word}}} of {path}"
        path = path.replace("{" + word + "}", value.replace("/", "%2F") if word != "path" else value)
    return path


def body(path, room):
    if path == "/v1/rooms":
        return {"name": room}
    if path == "/v1/ingress":
        return {"type": "rtmp", "room": room}
    if path == "/v1/egress":
        return {"room": room, "outputs": [{"id": "film", "type": "mp4"}], "createRoom": True}
    if path.endswith("/markers"):
        return {"name": "here"}
    if path.endswith("/outputs"):
        return {"id": "more", "type": "mp4"}
    return {}


def test_a_limited_key_sees_and_changes_nothing_of_other_rooms(gateway):
    acme, other = resources(gateway, "acme-1"), resources(gateway, HIDDEN)
    bearer = token("acme", ACME)
    hidden = [HIDDEN, *(other[name] for name in ("roomId", "/v1/egress", "running", "/v1/ingress", "/v1/jobs", "track", "/v1/tapes"))]
    document = gateway.get("/v1/openapi.json")
    walked = seen = 0
    for path, item in sorted(document["paths"].items()):
        for method in [name for name in item if name in ("get", "post", "patch", "delete", "put")]:
            if path in ("/v1/reload", "/v1/drain"):  # of the whole gateway
                assert gateway.request("POST", path, {}, bearer=bearer).status == 403
                continue
            walked += 1
            sent = None if method in ("get", "delete") else body(path, HIDDEN)
            answer = gateway.request(method.upper(), filled(path, other), sent, bearer=bearer)
            where = f"{method.upper()} {path}: {answer}"
            if path in GLOBAL or method == "get" and "{" not in path:
                assert answer.status in (200, 501), where
            elif answer.status == 422:  # in the same words as for what does not exist
                nowhere = filled(path, NOWHERE)
                assert gateway.request(method.upper(), nowhere, sent, bearer=bearer).status == 422, where
            else:
                assert answer.status in (401, 403, 404, 501), where
            said = answer.body.decode(errors="replace")
            if answer.status < 300:
                assert not [word for word in hidden if word in said], where
            if method == "get":  # its own it sees
                own = gateway.request("GET", filled(path, acme), bearer=bearer)
                assert own.status in (200, 501) or "/hls/" in path, f"{path}: {own}"
                seen += own.status == 200
    for path in ("/v1/rooms", "/v1/ingress", "/v1/egress", "/v1/jobs", "/v1/tapes"):
        for query in ("", f"?room={HIDDEN}", f"?label.of={HIDDEN}", "?limit=1", "?active=true"):
            answer = gateway.request("GET", path + query, bearer=bearer)
            assert answer.status == 200 and HIDDEN not in answer.body.decode(), (path + query, answer)
            rooms = {item.get("room") or item["name"] for item in answer.json["items"]}
            assert rooms <= {"acme-1"}, (path + query, rooms)
    by_id = gateway.request("GET", f"/v1/rooms/{other['roomId']}", bearer=bearer)
    assert by_id.status == 404, by_id
    # An ingress cannot be moved to, or out of, what the key does not cover.
    moved = gateway.request("PATCH", f"/v1/ingress/{acme['/v1/ingress']}", {"room": HIDDEN}, bearer=bearer)
    assert moved.status == 404, moved
    unchanged = gateway.get(f"/v1/ingress/{other['/v1/ingress']}")
    assert unchanged["state"] == "publishing" and other["publisher"].poll() is None, unchanged
    assert gateway.get(f"/v1/egress/{other['running']}")["state"] == "active"
    print(f"{walked} operations walked, {seen} of its own seen; nothing of {json.dumps(hidden)[:60]}…")
    assert walked > 25 and seen > 15


def test_a_token_that_names_a_room_is_limited_like_a_key(gateway):
    bearer = token("main", MAIN, room="acme-1", roomList=True, roomRecord=True, ingressAdmin=True, roomCreate=True)
    for path in ("/v1/rooms", "/v1/ingress", "/v1/egress", "/v1/jobs"):
        answer = gateway.request("GET", path, bearer=bearer)
        assert answer.status == 200 and answer.json["items"] and HIDDEN not in answer.body.decode(), (path, answer)
    assert gateway.request("GET", f"/v1/rooms/{HIDDEN}", bearer=bearer).status == 404
    assert gateway.request("POST", "/v1/ingress", {"type": "rtmp", "room": HIDDEN}, bearer=bearer).status == 404
