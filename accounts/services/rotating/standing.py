"""How far a person's new keys have come, for those who ordered them."""

from dataclasses import dataclass

from accounts.keys.orders import Reason, open_orders_of
from accounts.models import KeyOrder, KeyPair, User, WrappedKey

State = KeyPair.State


@dataclass(frozen=True)
class Standing:
    """`word`: done, ordered, under way, waiting for the person, or kept; `keys` in use: purpose,
    epoch and the day they were made."""

    word: str
    keys: list[tuple[str, int, str]]
    remarks: list[str]


def standing_of(user: User) -> Standing:
    orders = list(open_orders_of(user).order_by("purpose"))
    remarks = [
        f"{order.purpose} ordered {order.ordered_at.date().isoformat()} ({order.reason})"
        for order in orders
    ]
    pairs = KeyPair.objects.filter(user=user)
    earlier = pairs.filter(master_key_version=user.master_key_version).exclude(state=State.PRIMARY)
    to_go = WrappedKey.objects.filter(key_pair__in=earlier).count()
    if to_go:
        remarks.append(f"{to_go} wrapped keys on earlier pairs")

    primary = pairs.filter(state=State.PRIMARY).order_by("purpose")
    keys = [(pair.purpose, pair.epoch, pair.created_at) for pair in primary]
    if mac_key := user.mac_keys.order_by("-epoch").first():
        keys.append(("mac", mac_key.epoch, mac_key.created_at))
    dated = [(name, epoch, made.date().isoformat()) for name, epoch, made in keys]
    return Standing(_word(orders, to_go), dated, remarks)


def _word(orders: list[KeyOrder], to_go: int) -> str:
    if any(order.reason == Reason.COMPROMISED for order in orders):
        return "waiting for the person"
    if any(order.replaced_at for order in orders):
        return "under way"
    if orders:
        return "ordered"
    return "kept" if to_go else "done"
