"""What the trail calls the acts on albums, teams and successors: the same acts, each under its own
name."""

from dataclasses import dataclass

from audit.events import Event
from gallery.models import Circle


@dataclass(frozen=True)
class CircleEvents:
    made: Event
    changed: Event
    shared: Event
    revoked: Event
    rekeyed: Event
    deleted: Event
    refused: Event
    altered: Event


EVENTS_OF_KIND: dict[str, CircleEvents] = {
    Circle.Kind.ALBUM: CircleEvents(
        made=Event.ALBUM_MADE,
        changed=Event.ALBUM_CHANGED,
        shared=Event.ALBUM_SHARED,
        revoked=Event.ALBUM_REVOKED,
        rekeyed=Event.ALBUM_REKEYED,
        deleted=Event.ALBUM_DELETED,
        refused=Event.ALBUM_REFUSED,
        altered=Event.ALBUM_ALTERED,
    ),
    Circle.Kind.TEAM: CircleEvents(
        made=Event.TEAM_MADE,
        changed=Event.TEAM_CHANGED,
        shared=Event.TEAM_SHARED,
        revoked=Event.TEAM_REVOKED,
        rekeyed=Event.TEAM_REKEYED,
        deleted=Event.TEAM_DELETED,
        refused=Event.TEAM_REFUSED,
        altered=Event.TEAM_ALTERED,
    ),
    Circle.Kind.SUCCESSORS: CircleEvents(
        made=Event.SUCCESSORS_MADE,
        changed=Event.SUCCESSORS_NAMED,
        shared=Event.SUCCESSORS_NAMED,
        revoked=Event.SUCCESSORS_REMOVED,
        rekeyed=Event.SUCCESSORS_REKEYED,
        deleted=Event.SUCCESSORS_DELETED,
        refused=Event.SUCCESSORS_REFUSED,
        altered=Event.SUCCESSORS_ALTERED,
    ),
}


TAKEN_OVER: dict[str, Event] = {
    Circle.Kind.ALBUM: Event.ALBUM_TAKEN_OVER,
    Circle.Kind.TEAM: Event.TEAM_TAKEN_OVER,
}


def events_of(circle: Circle) -> CircleEvents:
    """Return the events of a circle whose kind its owner signed, or that was asked for by it."""
    return EVENTS_OF_KIND[circle.kind]
