"""Destinations that refuse, die and come back, while the file of the same egress goes on."""

import time

import media
import pytest
from gateway import CLIP, free_ports, wait_until
from standins import NginxRTMP


def output(gateway, egress, name):
    record = gateway.get(f"/v1/egress/{egress['id']}")
    return next(each for each in record["outputs"] if each["id"] == name)


def begin(gateway, room, url):
    ingress = gateway.ingress(room)
    outputs = [{"id": "film", "type": "mp4"}, {"id": "push", "type": "rtmp", "url": url}]
    egress = gateway.egress(room, outputs, createRoom=True, start={"waitSeconds": 20})
    return egress, gateway.publish(ingress, CLIP, loop=-1)


def assert_film_whole(gateway, egress, path):
    report = media.sync(gateway.download(egress, "film", path), "--loop", "360")
    assert (report["video"]["lost"], report["video"]["repeated"], report["audio"]["gap_count"]) == (0, 0, 0), report


def test_a_destination_that_dies_and_comes_back(gateway, tmp_path):
    nginx = NginxRTMP()
    with nginx:
        egress, publisher = begin(gateway, "push-back", f"{nginx.url}/live")
        wait_until(lambda: output(gateway, egress, "push")["state"] == "active", 15, "the push is active")
        time.sleep(2)
        nginx.kill()
        retrying = wait_until(
            lambda: (lambda push: push if push["state"] == "retrying" else None)(output(gateway, egress, "push")), 15,
            "the push tries again")
        assert retrying["error"]["code"].startswith("destination_"), retrying
        nginx.start()
        wait_until(lambda: output(gateway, egress, "push")["state"] == "active", 20, "the push is active again")
        time.sleep(3)
        publisher.kill()
        ended = gateway.stop_egress(egress)
        assert ended["state"] == "complete", ended
        assert next(each for each in ended["outputs"] if each["id"] == "push")["retries"] >= 1
        nginx.stop()
        for flv in nginx.recordings()[-1:]:
            assert media.packets(flv)[0]["flags"].startswith("K"), "it resumed on a key frame"
            assert media.decodes(flv)
    assert_film_whole(gateway, egress, tmp_path / "film.mp4")


def test_a_destination_that_is_not_there(gateway, tmp_path):
    url = f"rtmp://127.0.0.1:{free_ports(1)[0]}/live/secret-destination-key"
    egress, publisher = begin(gateway, "push-nowhere", url)
    push = wait_until(
        lambda: (lambda push: push if push["retries"] >= 2 else None)(output(gateway, egress, "push")), 20, "two retries")
    assert push["state"] == "retrying" and push["error"]["code"] == "destination_unreachable", push
    assert push["error"]["remedy"]
    publisher.kill()
    ended = gateway.stop_egress(egress)
    assert ended["state"] == "complete" and ended["partial"], ended
    assert_film_whole(gateway, egress, tmp_path / "film.mp4")
    assert "secret-destination-key" not in gateway.log() + str(ended)


def test_a_wrong_key_is_said(gateway):
    egress, publisher = begin(gateway, "push-wrong-key", f"{gateway.rtmp}/no-such-key")
    push = wait_until(
        lambda: (lambda push: push if push["error"] else None)(output(gateway, egress, "push")), 20, "an error is shown")
    assert push["error"]["code"] == "destination_refused", push
    gateway.egress_in(egress, "active")
    publisher.kill()
    assert gateway.stop_egress(egress)["state"] == "complete"


def test_outputs_come_and_go_while_it_runs(gateway, tmp_path):
    mirror = gateway.ingress("come-mirror")
    ingress = gateway.ingress("come")
    egress = gateway.egress("come", createRoom=True, start={"waitSeconds": 20})
    publisher = gateway.publish(ingress, CLIP, loop=-1)
    gateway.egress_in(egress, "active")
    added = gateway.request(
        "POST", f"/v1/egress/{egress['id']}/outputs",
        {"id": "push", "type": "rtmp", "url": f"{gateway.rtmp}/{mirror['streamKey']}"})
    assert added.status in (200, 201, 202), added
    wait_until(lambda: output(gateway, egress, "push")["state"] == "active", 15, "the push is active")
    gateway.published(mirror)
    removed = gateway.request("DELETE", f"/v1/egress/{egress['id']}/outputs/push")
    assert removed.status in (200, 202, 204), removed
    wait_until(lambda: output(gateway, egress, "push")["state"] == "removed", 15, "the push is removed")
    publisher.kill()
    assert gateway.stop_egress(egress)["state"] == "complete"
    assert_film_whole(gateway, egress, tmp_path / "film.mp4")
