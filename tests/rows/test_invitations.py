"""Whatever is in a row of an invitation: its link opens nothing, or what its owner signed."""

import pytest

from gallery.models import Grant, Invitation, InvitedGrant
from tests.rows import acts
from tests.rows.flips import flips_of
from tests.rows.walks import Walker
from tests.rows.world import JSON, World

PLACES = [("nobody", "{link}"), ("alice", "/invitations/"), ("alice", "/images/{first}/")]


class Follower(Walker):
    """Looks at the pages, then follows the link and opens what it carried."""

    def _places(self, flip) -> list[tuple[str, str]]:
        return [(who, self.world.fill(place)) for who, place in PLACES]

    def _look_around(self, flip, reached) -> None:
        super()._look_around(flip, reached)
        self._follow(flip)

    def _look_beside(self, flip, beside, reached) -> None:
        self._look(flip, "bob", self.world.place("first", "original"))

    def _follow(self, flip) -> None:
        client = acts.new_client()
        form = {"username": "lee", "display_name": "Lee"}
        form |= {"password1": acts.ANOTHER, "password2": acts.ANOTHER}
        answer = client.post(self.world.link, form, headers=JSON)
        self._judge(flip, "follow", answer)
        if answer.status_code != 201:
            return
        granted = Grant.objects.filter(reader__username="lee").values_list("image_id", flat=True)
        shared = {self.world.images[name].pk for name in ("first", "second")}
        if not shared.issuperset(granted):
            self.wrong.append(f"{flip} | handed over more")
        for name, reader in (("first", "bob"), ("second", "carol")):
            place = self.world.place(name, "original")
            opened = client.get(place)
            same = opened.status_code == 200 and opened.getvalue() == self.world.released[place]
            if not same and opened.status_code not in (404, 409, 410):
                self.wrong.append(f"{flip} | {reader}'s {name}: {opened.status_code}")


@pytest.mark.attack("F126")
@pytest.mark.parametrize("model", [Invitation, InvitedGrant])
def test_a_link_opens_what_was_signed_or_nothing_whatever_a_row_says(
    world: World, emptied_storage, model
):
    follower = Follower(world, looks_everywhere=True)
    flips = flips_of(model, world.altered_keys(model))
    tried = sum(follower.walk(flip) for flip in flips[::7])
    assert tried > 10
    assert follower.wrong == []
