"""When the people of a demonstration do what: three weeks up to now."""

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from gallery.models import Rendition
from gallery.services.reminding import due_reminders, remind
from imageshare.demo.acting import Cast
from imageshare.demo.clock import Clock
from imageshare.demo.painting import Order
from imageshare.demo.story import (
    CAST,
    SERIES,
    SINGLES,
    TEAM,
    TEAM_OWNER,
    TEAM_WORDS,
    Series,
    Single,
)

BETWEEN_SINGLES = timedelta(hours=2.5)
MOST_OPENED = 9  # of a series, by each of its readers


@dataclass(frozen=True)
class Act:
    """Something done at a time; with the picture that is painted for it."""

    at: datetime
    do: Callable[[], object]
    order: Order | None = None


@dataclass
class Schedule:
    """All acts, in the order of their times. `share`: how much of each series there is."""

    clock: Clock
    cast: Cast
    share: float
    acts: list[Act] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(1)  # noqa: S311 — the same every time, and nothing secret
        for series in SERIES:
            self._plan_series(series)
        for number, single in enumerate(SINGLES):
            self._plan_single(single, self.clock.started - BETWEEN_SINGLES * (12 - number))
        self._plan_the_rest()
        self.acts.sort(key=lambda act: act.at)

    @property
    def orders(self) -> list[Order]:
        return [act.order for act in self.acts if act.order]

    def carry_out(self) -> Iterator[int]:
        """Do all of it; yield how many images there are at each."""
        images = itertools.count(1)
        for act in self.acts:
            self.clock.set_to(act.at)
            act.do()
            if act.order:
                yield next(images)

    def _plan_series(self, series: Series) -> None:
        begun = self.clock.days_ago(series.days, series.hour)
        shared = begun + timedelta(minutes=90)
        title, owner, to = series.title, series.owner, () if series.in_album else series.to
        if series.in_album:
            self._at(begun, self.cast.make_album, owner, title)
            self._at(shared, self.cast.share_album, owner, title, list(series.to), series.team)
        number = max(1, round(series.number * self.share))
        scenes = itertools.cycle(series.scenes)
        for n, caption, scene in zip(range(number), series.captions(), scenes, strict=False):
            seed = 100 * series.days + n
            name = f"IMG_{4000 + seed}.jpg"
            upload = partial(self.cast.upload, owner, title, caption, name, to)
            moment = begun + timedelta(minutes=2 * n + 1)
            self.acts.append(Act(moment, upload, Order(scene, seed, moment)))
        for reader in series.to:
            opened = self._chance.sample(range(number), min(number, MOST_OPENED))
            looked = shared + timedelta(hours=self._chance.uniform(0.5, 20))
            self._at(looked, self.cast.look_through, reader, title, opened)

    def _plan_single(self, single: Single, moment: datetime) -> None:
        owner, caption = single.owner, single.caption
        seed = len(self.acts)
        upload = partial(self.cast.upload, owner, caption, caption, f"IMG_{7000 + seed}.jpg")
        self.acts.append(Act(moment, upload, Order(single.scene, seed, moment)))
        for n, reader in enumerate(single.to):
            self._at(moment + timedelta(minutes=3), self.cast.share, owner, caption, [reader])
            if n == 0:
                self._at(moment + timedelta(minutes=50), self.cast.open, reader, caption)

    def _plan_the_rest(self) -> None:
        """Plan a team, what ends or ended, and invitations: one taken back, one open."""
        at, cast, ago = self._at, self.cast, self.clock.days_ago
        lately = self.clock.started - timedelta(minutes=40)
        minerals, slide, ridge = SERIES[1].title, SINGLES[10].caption, SINGLES[6].caption
        at(ago(20), cast.ask_for_news, "ana")
        at(ago(18), cast.make_team, TEAM_OWNER, TEAM, TEAM_WORDS, ["ana", "ben"])
        at(ago(16), partial(cast.share, "leila", minerals, ["ben"], days=18))
        at(ago(10), cast.invite, "leila", "Perrin, auctions", minerals)
        at(ago(6), cast.take_invitation_back, "leila")
        for person in CAST:
            at(self.clock.started - timedelta(hours=16), cast.read_notices, person)
        at(lately, cast.open, "mira", slide, 0, Rendition.Name.ORIGINAL)
        at(lately, cast.confirm, "mira", slide)
        at(lately, cast.share_with_team, "ana", slide, TEAM)
        at(lately, cast.invite, "ana", "Dr. Lee", SINGLES[0].caption)
        at(lately, cast.revoke, "ana", ridge, "ben")
        at(self.clock.started, lambda: remind(due_reminders()))

    def _at(self, moment: datetime, act: Callable[..., object], *args: object) -> None:
        self.acts.append(Act(moment, partial(act, *args)))
