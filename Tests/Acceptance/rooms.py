"""A room at work: a publisher, and a recording of it."""

import datetime


def wall(text):
    """Seconds since 1970 of a time of the API."""
    return datetime.datetime.fromisoformat(text).timestamp()


class Recording:
    """A room with a publisher and a recording of it."""

    def __init__(self, gateway, clip, number, loop=0, outputs=None):
        self.gateway, self.clip = gateway, clip
        self.room = f"room-{number}"
        self.ingress = gateway.ingress(self.room)
        self.egress = gateway.egress(self.room, outputs, createRoom=True, start={"waitSeconds": 60})
        self.publisher = gateway.publish(self.ingress, clip.path, loop=loop)

    def begin(self):
        self.started = wall(self.gateway.egress_in(self.egress, "active")["startedAt"])
        return self

    def publish_to_the_end(self):
        self.gateway.published_to_its_end(self.publisher, self.ingress, 120)

    @property
    def location(self):
        return self.gateway.get(f"/v1/egress/{self.egress['id']}")["outputs"][0]["location"]

    def published(self, at):
        """Frames that had been published at the wall time `at`."""
        return (at - self.started) * self.clip.fps
