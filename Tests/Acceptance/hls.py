"""Watches an HLS presentation as a player does, and holds every answer against rfc8216bis."""

import hashlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def fetch(url, headers=None, method="GET"):
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def attributes(text):
    """An attribute list (section 4.2)."""
    return {name: value.strip('"') for name, value in re.findall(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)', text)}


class Media:
    """One media playlist."""

    def __init__(self, text):
        lines = [line for line in text.split("\n") if line]
        assert lines[0] == "#EXTM3U", text[:100]
        self.target = self.kind = None
        self.sequence = self.discontinuity = 0
        self.ended = False
        self.segments = []
        breaks, segment, header = 0, {}, None
        for line in lines[1:]:
            tag, _, value = line.partition(":")
            if tag == "#EXT-X-TARGETDURATION":
                self.target = int(value)
            elif tag == "#EXT-X-MEDIA-SEQUENCE":
                self.sequence = int(value)
            elif tag == "#EXT-X-DISCONTINUITY-SEQUENCE":
                self.discontinuity = breaks = int(value)
            elif tag == "#EXT-X-PLAYLIST-TYPE":
                self.kind = value
            elif tag == "#EXT-X-ENDLIST":
                self.ended = True
            elif tag == "#EXT-X-DISCONTINUITY":
                breaks += 1
            elif tag == "#EXT-X-MAP":
                header = attributes(value)["URI"]
            elif tag == "#EXT-X-GAP":
                segment["gap"] = True
            elif tag == "#EXT-X-DATERANGE":
                segment.setdefault("ranges", []).append(attributes(value))
            elif tag == "#EXT-X-PROGRAM-DATE-TIME":
                segment["date"] = value
            elif tag == "#EXTINF":
                segment["duration"] = float(value.split(",")[0])
            elif not line.startswith("#"):
                number = self.sequence + len(self.segments)
                self.segments.append(
                    dict(segment, uri=line, map=header, number=number, discontinuity=breaks, gap=segment.get("gap", False)))
                segment = {}
        assert self.target is not None, "no EXT-X-TARGETDURATION"

    @property
    def seconds(self):
        return sum(segment["duration"] for segment in self.segments)


class Rendition:
    """A media playlist as it changes, with all that it ever listed."""

    def __init__(self, url, is_independent):
        self.url, self.is_independent = url, is_independent
        self.media, self.seen, self.hashes, self.loads = None, {}, {}, 0
        self.ranges = {}
        self.isvideo = "video" in url.rsplit("/", 1)[-1]

    def load(self):
        status, headers, body = fetch(self.url)
        assert status == 200, (self.url, status, body[:200])
        assert headers["Content-Type"] == "application/vnd.apple.mpegurl", headers["Content-Type"]
        assert headers["Cache-Control"] == "no-cache", headers["Cache-Control"]
        self.take(Media(body.decode()))
        self.loads += 1

    def take(self, new):
        """Sections 4.4.3.1 (durations), 6.2.1 and 6.2.2 (what may change)."""
        old, self.media = self.media, new
        for segment in new.segments:
            assert int(segment["duration"] + 0.5) <= new.target, (segment, new.target)
            known = self.seen.setdefault(segment["number"], segment)
            assert known == segment, f"segment changed: {known} {segment}"
            for each in segment.get("ranges", []):  # section 4.4.5.1
                assert "date" in segment and re.fullmatch(DATE, each["START-DATE"]), segment
                assert self.ranges.setdefault(each["ID"], each) == each, f"two ranges with one ID: {each}"
        if old is None:
            return
        assert new.target == old.target, (old.target, new.target)
        assert new.sequence >= old.sequence and new.discontinuity >= old.discontinuity
        assert not old.ended or new.segments == old.segments, "changed after its end"
        if old.kind:
            assert new.sequence == old.sequence and new.segments[:len(old.segments)] == old.segments
        elif new.sequence > old.sequence:
            assert new.seconds >= 3 * new.target - 0.001, f"only {new.seconds} s are left in the window"

    def fetch_new(self):
        """Fetches each segment once as it comes, and now and then an old one again."""
        listed = [segment for segment in self.media.segments if not segment["gap"]]
        for segment in listed:
            if segment["number"] not in self.hashes:
                self.hashes[segment["number"]] = self.check(segment)
        if listed:
            again = listed[self.loads % len(listed)]
            assert self.check(again, decodes=False) == self.hashes[again["number"]], f"{again['uri']} changed"

    def check(self, segment, decodes=True):
        """A segment decodes alone behind its header (section 3), and begins with a key frame where that is promised."""
        url = urllib.parse.urljoin(self.url, segment["uri"])
        status, headers, body = fetch(url)
        assert status == 200 and body, (url, status)
        assert "immutable" in headers["Cache-Control"] and headers["Content-Type"] == "video/iso.segment"
        assert b"moof" in body[:200] and not body.endswith(b"\0" * 4096)
        if decodes:
            _, _, header = fetch(urllib.parse.urljoin(self.url, segment["map"]))
            with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
                file.write(header + body)
                file.flush()
                done = subprocess.run(
                    ["ffmpeg", "-v", "error", "-xerror", "-i", file.name, "-f", "null", "-"], capture_output=True,
                    text=True, timeout=60)
            assert not self.is_independent or (done.returncode == 0 and not done.stderr), (segment, done.stderr)
        return hashlib.sha256(body).hexdigest()


class Viewer(threading.Thread):
    """Polls a presentation every half target duration until `finish`. An illegal answer ends it with its cause."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.renditions, self.failure = url, {}, None
        self.stopping = threading.Event()
        self.main = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.look()
                known = [each.media.target for each in self.renditions.values() if each.media]
                self.stopping.wait(min(known, default=1) / 2)
        except Exception as error:  # told by `finish`
            self.failure = error

    def look(self):
        status, headers, body = fetch(self.url)
        if status == 404 and self.main is None:
            return  # the first segment is not complete
        assert status == 200, (status, body[:200])
        self.main = body.decode()
        independent = "#EXT-X-INDEPENDENT-SEGMENTS" in self.main
        uris = re.findall(r'^#EXT-X-MEDIA:.*URI="([^"]+)"', self.main, re.M)
        uris += [line for line in self.main.split("\n") if line and not line.startswith("#")]
        for stream in re.findall(r"^#EXT-X-STREAM-INF:(.*)", self.main, re.M):
            found = attributes(stream)
            assert int(found["BANDWIDTH"]) >= int(found["AVERAGE-BANDWIDTH"]) * 0.99 > 0 and found["CODECS"], stream
        for uri in dict.fromkeys(uris):
            url = urllib.parse.urljoin(self.url, uri)
            rendition = self.renditions.setdefault(url, Rendition(url, independent))
            rendition.is_independent = independent
            rendition.load()
            rendition.fetch_new()

    def finish(self, ended=True):
        """The last look: the end is told, and the renditions agree with each other."""
        self.stopping.set()
        self.join(60)
        if self.failure:
            raise self.failure
        self.look()
        medias = [rendition.media for rendition in self.renditions.values()]
        assert medias and all(media.ended == ended for media in medias)
        assert len({media.target for media in medias}) == 1
        for each in medias:  # section 6.2.4: the same content has the same discontinuity sequence number
            for segment in each.segments:
                for other in medias[0].segments:
                    if abs(stamp(segment) - stamp(other)) < 0.2 and segment["date"] and not segment["gap"]:
                        assert segment["discontinuity"] == other["discontinuity"], (segment, other)
        return self

    @property
    def video(self):
        return next(each for each in self.renditions.values() if each.isvideo)


def stamp(segment):
    """EXT-X-PROGRAM-DATE-TIME as seconds of the day."""
    hours, minutes, seconds = re.search(r"T(\d+):(\d+):([\d.]+)", segment["date"]).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
