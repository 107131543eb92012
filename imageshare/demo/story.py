"""Whose images there are, what they show, and with whom they are shared."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from imageshare.demo.painting import Scene
from imageshare.demo.scenes import close, living, outdoors, papers

STAFF = "overseer"
CAST = {
    "ana": "Ana Ruiz",
    "ben": "Ben Chen",
    "mira": "Mira Okafor",
    "jonas": "Jonas Weber",
    "leila": "Leïla Haddad",
    "priya": "Priya Nair",
    "tomasz": "Tomasz Zieliński",
}
TEAM, TEAM_OWNER, TEAM_WORDS = "Imaging desk", "mira", "Whoever is on duty"


@dataclass(frozen=True)
class Single:
    """One image of today or yesterday, shared by itself."""

    owner: str
    scene: Scene
    caption: str
    to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Images of one day, `days` ago, beginning at `hour`: in an album of that title, or shared one
    by one. Captions: each of the first words with each of the last."""

    owner: str
    title: str
    days: int
    hour: int
    number: int
    scenes: tuple[Scene, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]
    to: tuple[str, ...]
    team: str = ""
    in_album: bool = True

    def captions(self) -> Iterator[str]:
        pairs = itertools.product(self.last, self.first)
        return itertools.cycle(f"{first}, {last}" for last, first in pairs)


SINGLES = [
    Single("ana", papers.letter, "The letter, page one", ("mira",)),
    Single("ben", papers.plan, "Ground floor, revision C", ("mira",)),
    Single("ana", outdoors.fog, "Fog over the valley"),
    Single("ben", living.bokeh, "From the tram, in the rain"),
    Single("mira", papers.chest, "Chest, frontal", ("ana", "ben")),
    Single("ben", outdoors.sea, "Out past the breakwater", ("ana", "mira")),
    Single("ana", outdoors.ridges, "First light from the ridge", ("ben", "mira")),
    Single("mira", living.flower, "Grandmother\u2019s dahlia", ("ana",)),
    Single("ben", outdoors.city, "From the roof, nine in the evening", ("ana",)),
    Single("mira", papers.slice_through, "For your second look", ("ana", "ben")),
    Single("ana", close.cells, "Slide 14, second staining", ("mira",)),
    Single("ana", outdoors.lake, "The lake before anybody was up", ("ben", "mira")),
]
SERIES = [
    Series(
        *("jonas", "House on Mill Lane", 19, 9, 18, (papers.plan,)),
        ("Ground floor", "First floor", "Attic", "Cellar"),
        ("as it is", "revision A", "revision B", "with the new stairs", "for the permit"),
        ("ben", "priya"),
    ),
    Series(
        *("leila", "Minerals for the catalogue", 17, 14, 26, (close.stone,)),
        ("Agate", "Banded jasper", "Malachite", "Fluorite", "Onyx"),
        ("polished", "cut across", "plate 3", "in cool light", "the larger piece", "with scale"),
        ("ana", "tomasz"),
    ),
    Series(
        *("priya", "Survey, northern sheet", 15, 10, 22, (close.terrain,)),
        ("Sheet 11", "Sheet 12", "Sheet 13", "Sheet 14", "Sheet 15"),
        ("heights", "contours", "shaded", "second flight", "checked"),
        ("jonas", "tomasz"),
        in_album=False,
    ),
    Series(
        *("ben", "Night walks", 13, 20, 26, (outdoors.city, outdoors.night, living.bokeh)),
        ("The harbour", "Above the river", "Last tram", "Behind the station", "Roofs"),
        ("nine o\u2019clock", "after the rain", "clear and cold", "no wind", "walking home"),
        ("mira", "ana"),
    ),
    Series(
        *("tomasz", "The orchard, all year", 11, 8, 28, (living.fruit, living.tree)),
        ("Row 2", "Row 5", "The old tree", "By the wall", "Upper field"),
        ("in bloom", "June", "before the harvest", "first crates", "October", "sorted"),
        ("ana", "ben", "leila"),
        in_album=False,
    ),
    Series(
        *("mira", "Second opinion", 9, 9, 22),
        (papers.chest, papers.slice_through, papers.ultrasound),
        ("Case A", "Case B", "Case C", "Case D", "Case E"),
        ("first visit", "follow-up", "before treatment", "after six weeks", "for comparison"),
        ("ben", "ana"),
        in_album=False,
    ),
    Series(
        *("jonas", "Tiles for the stairwell", 8, 15, 24, (close.tiles,)),
        ("Pattern 1", "Pattern 4", "Pattern 7", "Pattern 9", "Border"),
        ("blue", "on the wall", "second firing", "by daylight", "samples"),
        ("leila", "priya"),
    ),
    Series(
        *("leila", "Regatta", 6, 11, 20, (outdoors.sea,)),
        ("At the start", "Rounding the buoy", "Class B", "The committee boat", "Coming home"),
        ("Saturday", "Sunday", "in light wind", "towards evening"),
        ("ana", "ben", "mira", "jonas"),
        in_album=False,
    ),
    Series(
        *("mira", "Staining run 14", 5, 10, 26, (close.cells,)),
        ("Slide 3", "Slide 7", "Slide 9", "Slide 12", "Slide 13"),
        ("overview", "detail", "edge", "second field", "control", "counted"),
        ("priya",),
        team=TEAM,
    ),
    Series(
        *("priya", "Figures for the board", 4, 16, 16, (papers.chart,)),
        ("North", "South", "Both sites", "Against last year"),
        ("draft", "corrected", "for the meeting", "with forecast"),
        ("jonas", "ana"),
    ),
    Series(
        *("ana", "Botanic garden", 3, 9, 34, (living.flower, living.leaf, living.flower)),
        ("Dahlia", "Fig leaf", "Zinnia", "Glasshouse 2", "Banana leaf", "Marigold", "Bed 9"),
        ("early", "after the rain", "from above", "against the light", "the last one"),
        ("jonas", "priya", "mira"),
    ),
    Series(
        *("ana", "A week at the lake", 2, 7, 26),
        (outdoors.lake, outdoors.ridges, outdoors.fog, outdoors.dunes, outdoors.lake),
        ("From the jetty", "Over the pass", "Northern shore", "The far side", "Above the hut"),
        ("Monday", "Tuesday", "before the storm", "after it", "six in the morning", "last day"),
        ("ben", "mira", "leila"),
    ),
]
ALL_IMAGES = len(SINGLES) + sum(series.number for series in SERIES)


def share_of_series(images: int) -> float:
    """Return how much of each series there is where there shall be about so many images in all."""
    return max(0, min(1, (images - len(SINGLES)) / (ALL_IMAGES - len(SINGLES))))
