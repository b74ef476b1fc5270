"""The players that people open a recording with."""

import contextlib
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading

from playwright.sync_api import sync_playwright

PAGE = """<!doctype html><video id="v" muted playsinline></video>"""
PLAY = """async ([source, rate]) => {
  const v = document.getElementById("v")
  const seen = new Promise(done => {
    v.onended = () => done("ended")
    v.onerror = () => done("error " + v.error.code + " " + v.error.message)
    setTimeout(() => done("no end, at " + v.currentTime), 60000)
  })
  v.src = source
  v.playbackRate = rate
  v.play().catch(() => {})
  const outcome = await seen
  const quality = v.getVideoPlaybackQuality()
  return {outcome, seconds: v.currentTime, duration: v.duration, width: v.videoWidth, frames: quality.totalVideoFrames}
}"""


class Chromium:
    """`<video>` of a real browser. Use as a context manager."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        playwright = self.stack.enter_context(sync_playwright())
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        self.browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        self.stack.callback(self.browser.close)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def plays(self, path):
        """Seconds that play to the end without an error."""
        page_path = path.with_suffix(".html")
        page_path.write_text(PAGE)
        page = self.browser.new_page()
        try:
            page.goto(page_path.as_uri())
            result = page.evaluate(PLAY, [path.name, 4])
        finally:
            page.close()
        assert result["outcome"] == "ended" and result["width"] == 640 and result["frames"] > 0, result
        return result["seconds"]


def ffmpeg_frames(path):
    """Pictures that ffmpeg decodes; a damaged file is an error."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-f", "null", "-progress", "-", "-"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
    return int(re.findall(r"^frame=(\d+)", done.stdout, re.M)[-1])


def gstreamer_frames(path):
    """Pictures that GStreamer plays, with sound beside them."""
    command = [
        "gst-launch-1.0", "-v", "filesrc", f"location={path}", "!", "decodebin", "name=d", "d.", "!", "videoconvert", "!",
        "fakesink", "name=picture", "silent=false", "sync=false", "d.", "!", "audioconvert", "!", "fakesink", "sync=false"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "ERROR" not in done.stdout + done.stderr, (done.stdout[-2000:], done.stderr)
    return len(re.findall(r"picture: last-message = chain ", done.stdout))


def mediainfo_seconds(path):
    """The length that mediainfo shows; one H.264 and one AAC track."""
    command = ["mediainfo", "--Output=JSON", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    tracks = {track["@type"]: track for track in json.loads(done.stdout)["media"]["track"]}
    assert tracks["Video"]["Format"] == "AVC" and tracks["Audio"]["Format"] == "AAC", tracks
    assert "IsTruncated" not in tracks["General"], tracks["General"]
    return float(tracks["Video"]["Duration"])


def assert_all_play(path, frames, fps, chromium):
    """Every player takes all `frames` of the file."""
    seconds = frames / fps
    assert ffmpeg_frames(path) == frames
    assert gstreamer_frames(path) == frames
    assert abs(mediainfo_seconds(path) - seconds) < 0.6, (mediainfo_seconds(path), seconds)
    assert abs(chromium.plays(path) - seconds) < 0.3


HLS = """async ([source, seconds]) => {
  const v = document.getElementById("v")
  const heard = []
  v.onerror = () => heard.push("error " + v.error.code + " " + v.error.message)
  v.onended = () => heard.push("ended")
  v.src = source
  v.play().catch(error => heard.push(String(error)))
  const until = performance.now() + 1000 * seconds
  let first = null
  while (performance.now() < until && !heard.length) {
    await new Promise(done => setTimeout(done, 100))
    if (first === null && v.currentTime > 0 && v.readyState > 2) first = v.currentTime
  }
  const quality = v.getVideoPlaybackQuality()
  return {heard, first, seconds: v.currentTime - (first || 0), width: v.videoWidth, duration: v.duration,
          frames: quality.totalVideoFrames - quality.droppedVideoFrames}
}"""


def watch_in(chromium, url, seconds):
    """What `<video>` makes of a playlist in at most `seconds`."""
    page = chromium.browser.new_page()
    try:
        page.set_content(PAGE)
        return page.evaluate(HLS, [url, seconds])
    finally:
        page.close()


def follow_in(chromium, url, seconds):
    """What a small MSE player makes of a playlist that grows: Chromium's own does not load an event again."""
    folder = pathlib.Path(__file__).parent
    class Pages(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = chromium.browser.new_page()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/mse.html")
        return page.evaluate("([url, seconds]) => play(url, seconds)", [url, seconds])
    finally:
        page.close()
        server.shutdown()
        server.server_close()


def gstreamer_frames_of(url):
    """Pictures that GStreamer plays from an address, with sound beside them."""
    command = [
        "gst-launch-1.0", "-v", "uridecodebin", f"uri={url}", "name=d", "d.", "!", "videoconvert", "!", "fakesink",
        "name=picture", "silent=false", "sync=false", "d.", "!", "audioconvert", "!", "fakesink", "sync=false"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "ERROR" not in done.stdout + done.stderr, (done.stdout[-2000:], done.stderr)
    return len(re.findall(r"picture: last-message = chain ", done.stdout))
