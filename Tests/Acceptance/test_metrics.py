"""/metrics: the figures are what was done, and the text is what Prometheus reads."""

import os
import pathlib
import signal
import time
import urllib.request

from gateway import CLIP, Gateway, free_ports, wait_until
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    """One scrape, read by Prometheus's own parser."""

    def __init__(self, gateway):
        with urllib.request.urlopen(gateway.url + "/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            self.text = answer.read().decode()
        self.families = list(text_string_to_metric_families(self.text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def __getitem__(self, key):
        """The value of `name`, or of `(name, {label: value})`: the sum of all samples that have these labels."""
        name, labels = (key, {}) if isinstance(key, str) else key
        found = [s for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        return sum(sample.value for sample in found)


def test_figures_are_what_was_done():
    with Gateway() as gateway:
        before = Figures(gateway)
        assert before["sluice_build_info"] == 1
        assert before["sluice_egress"] == 0 and before["sluice_rooms"] == 0
        assert before["sluice_disk_free_bytes"] > before["sluice_disk_reserve_bytes"] > 0
        failures = {s.labels["code"] for s in before.samples
                    if s.name == "sluice_egress_ended_total" and s.labels["state"] == "failed"}
        assert failures >= {"worker_crashed", "disk_full", "destination_refused"}, "a rate sees the first of each"
        dead_port = free_ports(1)[0]
        ingress = gateway.ingress("planted-room", identity="planted-identity")
        publisher = gateway.publish(ingress)
        gateway.published(ingress)
        wrong = gateway.publish(dict(ingress, streamKey="a-planted-wrong-key"))
        started = time.time()
        egress = gateway.egress("planted-room", [
            {"id": "film", "type": "mp4"},
            {"id": "dead", "type": "rtmp", "url": f"rtmp://127.0.0.1:{dead_port}/live/planted-push-key"}])
        gateway.egress_in(egress, "active")
        took = time.time() - started
        waiting = gateway.egress("planted-empty", createRoom=True, start={"waitSeconds": 60})
        wait_until(lambda: Figures(gateway)["sluice_output_retries_total", {"type": "rtmp"}] >= 1, 5, "a retry")

        during = Figures(gateway)
        assert during["sluice_rooms"] == 2 and during["sluice_participants"] == 1
        assert during["sluice_tracks", {"kind": "video"}] == during["sluice_tracks", {"kind": "audio"}] == 1
        assert during["sluice_ingress_sessions", {"state": "publishing"}] == 1
        assert during["sluice_egress", {"state": "active"}] == 1 and during["sluice_egress"] == 2
        assert during["sluice_jobs"] == 2 and during["sluice_workers", {"state": "ready"}] == 1
        assert during["sluice_egress_start_seconds_count"] == 1
        assert 0 < during["sluice_egress_start_seconds_sum"] <= took
        assert during["sluice_job_wait_seconds_count"] == 2
        assert 0 < during["sluice_worker_used_cores"] < during["sluice_worker_capacity_cores"] <= 0.8 * os.cpu_count()

        worker = gateway.workers()[0]
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: gateway.workers() and gateway.workers() != [worker], 5, "another worker")
        assert gateway.request("POST", f"/v1/egress/{waiting['id']}/stop", {}).status == 202
        gateway.egress_in(waiting, "aborted")
        gateway.published_to_its_end(publisher, ingress)
        record = gateway.stop_egress(egress)

        after = Figures(gateway)
        assert after["sluice_worker_restarts_total", {"cause": "signal"}] == 1 == after["sluice_worker_restarts_total"]
        assert after["sluice_worker_starts_total"] == 2
        assert after["sluice_egress_ended_total", {"state": "complete", "code": "stop_requested"}] == 1
        assert after["sluice_egress_ended_total", {"state": "aborted", "code": "stop_requested"}] == 1
        assert after["sluice_egress_ended_total"] == 2 and after["sluice_egress"] == after["sluice_jobs"] == 0
        assert after["sluice_outputs_ended_total", {"type": "mp4", "state": "complete"}] == 1
        assert after["sluice_outputs_ended_total", {"code": "destination_unreachable"}] == 1, record["outputs"]
        film = record["outputs"][0]
        # The head is patched in place at the end, and what the killed worker had not synced is written again.
        assert after["sluice_output_bytes_total", {"type": "mp4"}] >= 0.98 * film["sizeBytes"]
        assert after["sluice_output_bytes_total", {"type": "mp4"}] <= 1.2 * film["sizeBytes"]
        assert after["sluice_output_retries_total", {"type": "rtmp"}] >= record["outputs"][1]["retries"] >= 1
        size = pathlib.Path(CLIP).stat().st_size
        assert 0.9 * size < after["sluice_ingress_bytes_total", {"protocol": "rtmp"}] < 1.5 * size
        assert after["sluice_ingress_sessions_started_total"] == after["sluice_ingress_sessions_ended_total"] == 1
        assert after["sluice_ingress_refused_total", {"cause": "unknown_key"}] == 1, wrong.communicate()
        assert after["sluice_output_lost_units_total", {"type": "mp4"}] == 0
        assert after["sluice_output_lost_units_total", {"type": "rtmp"}] > 0
        stated = gateway.get(f"/v1/egress/{egress['id']}/manifest")["outputs"][0]["gapSeconds"]
        assert abs(after["sluice_output_gap_seconds_total", {"type": "mp4"}] - stated) < 0.01
        assert after["sluice_link_missed_records_total", {"consumer": "durable"}] == 0
        looked = after["sluice_ingress_av_offset_seconds_count"]
        assert looked >= 8 and abs(after["sluice_ingress_av_offset_seconds_sum"] / looked) < 0.1
        requests = {"route": "/v1/egress", "method": "POST", "status": "2xx"}
        assert after["sluice_http_requests_total", requests] == 2
        assert after["sluice_http_request_duration_seconds_count", {"route": "/v1/egress", "method": "POST"}] == 2
        for planted in ["planted", record["id"], ingress["streamKey"], "127.0.0.1"]:
            assert planted not in after.text
        check_format(after)


def check_format(figures):
    """What the parser lets pass: names, one TYPE each, counters that end in _total, buckets that rise to +Inf."""
    assert len({family.name for family in figures.families}) == len(figures.families)
    for family in figures.families:
        assert family.name.startswith("sluice_") and family.documentation and family.type != "unknown", family.name
        buckets = {}
        for sample in family.samples:
            assert sample.value >= 0 or "offset" in family.name, sample
            if family.type == "counter":
                assert sample.name.endswith("_total"), sample
            if sample.name.endswith("_bucket"):
                place = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
                buckets.setdefault(place, []).append((float(sample.labels["le"]), sample.value))
        for place, rows in buckets.items():
            assert rows == sorted(rows) and rows[-1][0] == float("inf"), (family.name, place)
            assert [count for _, count in rows] == sorted(count for _, count in rows)
    assert figures.text.endswith("\n") and "\r" not in figures.text


def test_head_and_wrong_method():
    with Gateway() as gateway:
        assert gateway.request("HEAD", "/metrics", bearer=None).status == 200
        assert gateway.request("POST", "/metrics", {}, bearer=None).status == 405
