"""What people's players make of a finished recording. As a kill leaves it: test_crash.py."""

from clips import Clip
from players import assert_all_play
from rooms import Recording


def test_every_player_plays_a_finished_recording(gateway, tmp_path, chromium):
    clip = Clip(10, 30, 2.0, 2)
    recording = Recording(gateway, clip, "finished").begin()
    recording.publish_to_the_end()
    assert gateway.stop_egress(recording.egress)["state"] == "complete"
    film = gateway.download(recording.egress, "film", tmp_path / "film.mp4")
    assert_all_play(film, clip.frames, clip.fps, chromium)
