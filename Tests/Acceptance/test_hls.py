"""HLS: cut while a stream runs, watched as players watch, agreeing unit for unit with the MP4 of the same egress."""

import os
import pathlib
import re
import signal
import subprocess
import time

import media
import pytest
from clips import Clip
from gateway import Gateway, wait_until
from hls import Media, Viewer, fetch
from players import ffmpeg_frames, follow_in, gstreamer_frames_of, watch_in
from rooms import wall
from standins import is_alive

OUTPUTS = [
    {"id": "film", "type": "mp4"},
    {"id": "live", "type": "hls", "segmentSeconds": 2},
    {"id": "window", "type": "hls", "segmentSeconds": 2, "playlist": "live", "windowSegments": 3, "access": "public"},
]


def links(gateway, egress, seconds=600):
    answer = gateway.post(f"/v1/egress/{egress['id']}/links", {"ttlSeconds": seconds}, expect=(201,))
    return {output["id"]: output["url"] for output in answer["outputs"]}


def begin(gateway, clip, outputs=OUTPUTS, room="show", **fields):
    ingress = gateway.ingress(room)
    publisher = gateway.publish(ingress, clip.path)
    gateway.published(ingress)
    egress = gateway.egress(room, outputs, **fields)
    gateway.egress_in(egress, "active")
    return ingress, publisher, egress


def watch(gateway, egress):
    """A viewer on each HLS output: the event by a signed link, the window by its public address."""
    viewers = {
        "live": Viewer(links(gateway, egress)["live"]),
        "window": Viewer(f"{gateway.url}/hls/public/{egress['id']}/window/index.m3u8"),
    }
    for viewer in viewers.values():
        viewer.start()
    return viewers


def assert_same_units(film, presentation, leading_silence=False):
    """Every unit of the MP4 is in the presentation, in the same order, and no other; silence that was made is not counted."""
    for stream in ("v", "a"):
        units, cut = media.hashes(film, stream), media.hashes(presentation, stream)
        filled = set(units) - set(cut)  # one frame, again and again, where sound is missing
        assert len(filled) <= (stream == "a"), (stream, len(filled))
        units = [unit for unit in units if unit not in filled]
        if leading_silence and stream == "a":
            assert len(set(cut[:-len(units)])) <= 1
            cut = cut[-len(units):]
        assert cut == units, stream


def outputs_of(record):
    return {output["id"]: output for output in record["outputs"]}


def run(gateway, clip, disturb=lambda egress: None):
    ingress, publisher, egress = begin(gateway, clip)
    wait_until(lambda: outputs_of(gateway.get(f"/v1/egress/{egress['id']}"))["live"]["state"] == "active", 15, "live")
    viewers = watch(gateway, egress)
    disturb(egress)
    gateway.published_to_its_end(publisher, ingress, 120)
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete" and not ended["partial"], ended
    for viewer in viewers.values():
        viewer.finish()
    outputs = outputs_of(ended)
    film, live = outputs["film"], outputs["live"]
    assert abs(live["durationSeconds"] - film["durationSeconds"]) < 0.1, (live, film)
    assert live["location"].endswith("/index.m3u8") and live["sizeBytes"] > 0
    assert viewers["live"].video.media.kind == "VOD"
    assert abs(viewers["live"].video.media.seconds - film["durationSeconds"]) < 0.1
    media.assert_in_sync(film["location"], source_ms=clip.offset_ms)
    media.assert_in_sync(live["location"], source_ms=clip.offset_ms)
    assert_same_units(film["location"], live["location"])
    return egress, outputs, viewers


@pytest.mark.parametrize("clip", [
    Clip(seconds=10, fps=25, gop=1.0, bframes=3),
    pytest.param(Clip(seconds=60), marks=pytest.mark.long),
    pytest.param(Clip(seconds=60, gop=8.3), marks=pytest.mark.long),
    pytest.param(Clip(seconds=60, fps=60, mono=True), marks=pytest.mark.long),
], ids=lambda clip: clip.name)
def test_two_presentations_and_a_film(clip):
    with Gateway() as gateway:
        def name(egress):
            for marker in ({"name": "Kick-off", "atSeconds": 0.5}, {"name": "Now"}):
                gateway.post(f"/v1/egress/{egress['id']}/markers", marker)
        egress, outputs, viewers = run(gateway, clip, name)
        named = gateway.get(f"/v1/egress/{egress['id']}/manifest")["markers"]
        started = wall(outputs["live"]["startedAt"])
        for viewer in viewers.values():
            for rendition in viewer.renditions.values():
                told = {each["X-SLUICE-NAME"]: wall(each["START-DATE"]) for each in rendition.ranges.values()}
                wanted = {each["name"]: started + each["atSeconds"] for each in named}
                assert told == pytest.approx(wanted, abs=0.002), (told, wanted)
        source = media.probe(clip.path)["streams"][0]
        frames = len(media.packets(outputs["film"]["location"]))  # all since the key frame that the room held then
        assert clip.frames - 2 * clip.gop * clip.fps <= frames <= clip.frames, frames
        manifest = gateway.get(f"/v1/egress/{egress['id']}/manifest")
        for output in manifest["outputs"]:
            tracks = {track["kind"]: track for track in output["tracks"]}
            (form,) = tracks["video"]["forms"]
            assert (form["atSeconds"], form["width"], form["height"]) == (0, source["width"], source["height"]), form
            assert form["codec"].startswith("avc1.") and tracks["video"]["unitsOut"] == frames, tracks
            assert tracks["audio"]["forms"][0]["codec"] == "mp4a.40.2", tracks
            (clock,) = output["clock"]
            assert wall(clock["utc"]) == pytest.approx(started, abs=0.002) and clock["atSeconds"] == 0, clock
            assert [each["identity"] for each in clock["sources"]] == [tracks["video"]["identity"]], clock
        window = viewers["window"].video
        assert window.media.kind is None and len(window.seen) > len(window.media.segments)
        listed = gateway.get(f"/v1/egress/{egress['id']}/files")["items"]
        assert {item["contentType"] for item in listed if item["output"] == "live"} == {
            "application/vnd.apple.mpegurl", "video/mp4", "video/iso.segment"}
        answer = gateway.request("GET", outputs["live"]["href"])
        assert answer.status == 200 and answer.body.startswith(b"#EXTM3U"), answer
        assert gateway.request("DELETE", f"/v1/egress/{egress['id']}").status == 204
        assert not pathlib.Path(outputs["live"]["location"]).parent.exists()


def test_killed_worker_loses_nothing():
    with Gateway() as gateway:
        def kill(egress):
            for _ in range(2):
                time.sleep(2.5)
                (worker,) = gateway.workers()
                os.kill(worker, signal.SIGKILL)
                wait_until(lambda: not is_alive(worker), 5, "the worker is dead")
        run(gateway, Clip(seconds=12, gop=1.0), kill)


def test_gateway_restart_goes_on_in_the_same_playlist(tmp_path):
    """SIGTERM writes what is held and does not end the presentation; the next gateway goes on behind a discontinuity."""
    clip = Clip(seconds=8, gop=1.0)
    first = Gateway(data=tmp_path).start()
    try:
        ingress, publisher, egress = begin(first, clip, OUTPUTS[:2])
        look = lambda: outputs_of(first.get(f"/v1/egress/{egress['id']}"))["live"]
        wait_until(lambda: look()["state"] == "active", 15, "live")
        playlist = pathlib.Path(look()["location"]).with_name("video.m3u8")
        time.sleep(1)
        assert first.stop() == 0
        left = Media(playlist.read_text())
        assert not left.ended and left.segments, "a later gateway goes on with it"
        first.start()
        assert first.publish(ingress, clip.path).wait(30) == 0
        ended = outputs_of(first.stop_egress(egress))
        whole = Media(playlist.read_text())
        assert whole.ended and whole.segments[:len(left.segments)] == left.segments
        assert [s["discontinuity"] for s in whole.segments][-1] == 1 and whole.target == left.target
        assert_same_units(ended["film"]["location"], ended["live"]["location"])
    finally:
        first.__exit__()


def test_links_open_their_egress_and_nothing_else():
    with Gateway(environment={"SLUICE_HTTP_CORS_ORIGINS": "https://tv.example"}) as gateway:
        ingress, publisher, egress = begin(gateway, Clip(seconds=10, gop=1.0))
        ready = lambda: outputs_of(gateway.get(f"/v1/egress/{egress['id']}"))
        wait_until(lambda: ready()["live"]["state"] == ready()["window"]["state"] == "active", 15, "live")
        other = gateway.egress("show", [{"id": "live", "type": "hls"}])
        found = links(gateway, egress)
        assert set(found) == {"film", "live", "window"} and found["film"].endswith(".mp4")
        status, headers, body = fetch(found["live"])
        assert status == 200 and body.startswith(b"#EXTM3U")
        base = found["live"].rsplit("/", 1)[0]
        link = base.split("/")[-3]
        brief = links(gateway, egress, seconds=1)["live"]

        altered = "A" if link[20] != "A" else "B"
        refused = [
            (base.replace(link, link[:-1]) + "/index.m3u8", 403, "link_invalid"),
            (base.replace(link, link[:20] + altered + link[21:]) + "/index.m3u8", 403, "link_invalid"),
            (base.replace(link, "public") + "/index.m3u8", 404, "not_found"),
            (base.replace(egress["id"], other["id"]) + "/index.m3u8", 403, "link_invalid"),
            (base.replace(egress["id"], "EG_none") + "/index.m3u8", 403, "link_invalid"),
            (base + "/.state", 404, "not_found"), (base + "/nothing.m4s", 404, "not_found"),
            (base + "/..%2f..%2fstore%2flink.key", 404, "not_found"), (base + "/%2e%2e", 404, "not_found"),
            (base.replace("/live", "/film") + "/index.m3u8", 404, "not_found"),
        ]
        for url, status, code in refused:
            got, _, body = fetch(url)
            assert (got, code) == (status, re.search(rb'"code":"(\w+)"', body).group(1).decode()), (url, got, body)
        time.sleep(1.1)
        status, _, body = fetch(brief)
        assert status == 403 and b"link_expired" in body and b"has expired" in body, body

        status, headers, body = fetch(found["film"], {"Range": "bytes=4-7"})
        assert (status, body) == (206, b"ftyp") and headers["Content-Type"] == "video/mp4"
        status, headers, body = fetch(found["live"], {"Origin": "https://tv.example"})
        assert headers["Access-Control-Allow-Origin"] == "https://tv.example"
        asked = {"Origin": "https://tv.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
        status, headers, _ = fetch(found["live"], asked, "OPTIONS")
        assert status in (200, 204) and "Range" in headers["Access-Control-Allow-Headers"]
        assert "Content-Range" in headers["Access-Control-Expose-Headers"]
        _, headers, _ = fetch(found["live"], {"Origin": "https://evil.example"})
        assert headers["Access-Control-Allow-Origin"] is None
        for body in ({"ttlSeconds": 0}, {"ttlSeconds": 604801}, {"seconds": 1}):
            assert gateway.request("POST", f"/v1/egress/{egress['id']}/links", body).status == 422
        gateway.published_to_its_end(publisher, ingress)
        gateway.stop_egress(egress)
        status, _, body = fetch(found["live"].replace("index", "video"))
        assert status == 200 and body.endswith(b"#EXT-X-ENDLIST\n")


@pytest.mark.parametrize("output, pointer", [
    ({"segmentSeconds": 0.5}, "segmentSeconds"), ({"segmentSeconds": 61}, "segmentSeconds"),
    ({"playlist": "vod"}, "playlist"), ({"windowSegments": 4}, "windowSegments"),
    ({"playlist": "live", "windowSegments": 2}, "windowSegments"), ({"access": "all"}, "access"),
    ({"path": "a/index.m3u8"}, "path"), ({"path": "../a"}, "path"), ({"segments": 2}, "segments"),
])
def test_fields_are_checked(gateway, output, pointer):
    answer = gateway.request("POST", "/v1/egress", {"room": "x", "outputs": [dict({"type": "hls"}, **output)]})
    assert answer.status == 422, answer
    (error,) = answer.json["errors"]
    assert error["pointer"] == f"#/outputs/0/{pointer}" and error["remedy"], error


def test_command_line(tmp_path):
    with Gateway() as gateway:
        ingress = gateway.ingress("show")
        gateway.publish(ingress, Clip(seconds=10, gop=1.0).path)
        gateway.published(ingress)
        done = gateway.sluice("record", "show", "--hls", "--for", "7s")
        assert done.returncode == 0, done.stdout + done.stderr
        watch, playlist = [re.search(rf"^{name} +(\S+)", done.stdout, re.M).group(1) for name in ("Watch", "Playlist")]
        assert fetch(watch)[0] == 200 and media.decodes(playlist)
        assert subprocess.run(["ffmpeg", "-v", "error", "-i", watch, "-f", "null", "-"]).returncode == 0


def test_players_follow_the_stream(chromium):
    """Live and finished, by a signed link: ffmpeg, GStreamer, Chromium's own player and one on Media Source Extensions."""
    clip = Clip(seconds=16, gop=1.0)
    with Gateway(environment={"SLUICE_HTTP_CORS_ORIGINS": '["*"]'}) as gateway:
        ingress, publisher, egress = begin(gateway, clip, [{"id": "live", "type": "hls", "segmentSeconds": 2}])
        url = links(gateway, egress)["live"]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-live_start_index", "0", "-i", url, "-f", "null", "-progress", "-", "-"]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3):  # one of them falls between two cuts
            gateway.post(f"/v1/egress/{egress['id']}/split", {})
            time.sleep(1)
        seen = follow_in(chromium, url, 7)
        assert not seen["problems"] and not seen["fed"] and seen["width"] == 640, seen
        assert seen["segments"] >= 6 and seen["seconds"] > 4 and seen["stretches"] == 1, seen
        gateway.published_to_its_end(publisher, ingress, 60)
        gateway.stop_egress(egress)
        told, complaints = follower.communicate(timeout=60)
        assert follower.returncode == 0 and not complaints, complaints
        cut = Media(fetch(url.replace("index", "video"))[2].decode())
        assert [s["duration"] for s in cut.segments[:-1] if s["duration"] < 1.5], "a split ended a segment"
        assert {s["discontinuity"] for s in cut.segments} == {0}
        assert int(re.findall(r"^frame=(\d+)", told, re.M)[-1]) == clip.frames
        assert ffmpeg_frames(url) == clip.frames
        assert gstreamer_frames_of(url) == clip.frames
        seen = watch_in(chromium, url, 40)
        assert seen["heard"] == ["ended"] and abs(seen["duration"] - clip.seconds) < 0.3, seen
        seen = follow_in(chromium, url, 40)
        assert seen["ended"] and abs(seen["seconds"] - clip.seconds) < 0.3, seen
