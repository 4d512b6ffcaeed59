"""Messages that differ in several arguments at once, or in a name of several words."""

from __future__ import annotations

import pytest

from correlation.logs.masks import mask
from correlation.logs.merging import merged
from correlation.logs.shapes import Shape, shape


def _templates(*texts: str) -> set[str]:
    return {" ".join(found) for found in merged({shape(mask(text)) for text in texts}).values()}


TOGETHER = [
    (
        "no two differ in one place only",
        [
            "share of omar in account chem_1 is spent",
            "share of lena in account bio-lab is spent",
            "share of kit in account teach_2 is spent",
        ],
        "share of <*> in account <*> is spent",
    ),
    (
        "names of one to three words",
        [
            "The Print Spooler service was stopped by hand",
            "The DHCP Client service was stopped by hand",
            "The Volume Shadow Copy service was stopped by hand",
        ],
        "The <*> service was stopped by hand",
    ),
    (
        "what all values begin and end with stays",
        [
            "lost Node Red North of the ring",
            "lost Node Blue West North of the ring",
            "lost Node Green North of the ring",
            "lost Node Old Grey North of the ring",
            "lost Node New Rose North of the ring",
        ],
        "lost Node <*> North of the ring",
    ),
    (
        "names with joining words",
        [
            "bag holds Ring of the Deep and 3 more",
            "bag holds Potion of Healing and 4 more",
            "bag holds Iron Sword and 5 more",
        ],
        "bag holds <*> and <*> more",
    ),
    (
        "lists of any length in brackets",
        [
            "ring is now [node1, web-2, worker], led by node1",
            "ring is now [db-1, node3, worker], led by db-1",
            "ring is now [db.a.example, node4], led by db.a.example",
        ],
        "ring is now , led by <*>",
    ),
    (
        "a word said again as a part of a path",
        [
            f"key: {key}, read from disk.{key}.hive by hand"
            for key in ("SYSTEM", "SAM", "SOFTWARE", "DEFAULT")
        ],
        "key : <*> , read from <*> by hand",
    ),
    (
        "a name of two words where values begin the message",
        [
            "knight77 fell from a wall",
            "mia_k fell from a wall",
            "xX_s fell from a wall",
            "Lord Farquad fell from a wall",
        ],
        "<*> fell from a wall",
    ),
    (
        "a quoted text of some words beside a name",
        [
            "mail 'to all of us' held back for amy_1",
            "mail 'minutes' held back for bob_2",
            "mail 'see you there' held back for kit_3",
            "mail 'hello' held back for lou_4",
        ],
        "mail <*> held back for <*>",
    ),
]


@pytest.mark.parametrize(("texts", "template"), [case[1:] for case in TOGETHER],
                         ids=[case[0] for case in TOGETHER])  # fmt: skip
def test_messages_that_differ_in_arguments_become_one(texts: list[str], template: str) -> None:
    assert _templates(*texts) == {template}


@pytest.mark.parametrize(
    "texts",
    [
        ["the Red Line service is late", "the Blue Line service is late"],
        ["state moved from LOADING to FULL now", "state moved from FULL to DOWN now",
         "state moved from INIT to LOADING now"],
        ["env set: host.name = a b", "env set: user.home = c d", "env set: tmp.dir = e f"],
        ["door opened by amy", "window closed by bob", "gate locked by kit"],
        ["Fan Tray has failed at once", "Power Supply has failed at once",
         "Disk Drive has failed at once"],
        [f'type="vpn" msg="{said}"' for said in ("link is up 7", "link is lost", "peer 9 gone")],
        ['said "GET it" twice', 'said "PUT it" twice', 'said "POST it" twice'],
    ],
    ids=["two names", "states", "keys", "different words", "subjects", "messages", "methods"],
)  # fmt: skip
def test_messages_that_differ_in_what_they_say_stay_apart(texts: list[str]) -> None:
    assert len(_templates(*texts)) == len(texts)


def test_a_weak_column_splits_and_the_others_still_merge() -> None:
    texts = [
        f"copy of {volume} by {who} ended: {how}"
        for how in ("kept whole", "lost half")
        for volume, who in (("vol_x", "amy_a"), ("vol_y", "bob_b"), ("vol_z", "kit_c"))
    ]

    found: set[Shape] = {shape(mask(text)) for text in texts}

    assert {" ".join(template) for template in merged(found).values()} == {
        "copy of <*> by <*> ended : kept whole",
        "copy of <*> by <*> ended : lost half",
    }


def test_names_known_from_another_message_leave_one_word() -> None:
    screens = ("HomeView", "CartView", "LoginView")
    texts = [f"{screen}: {what}" for screen in screens for what in ("onResume", "onPause")]

    alone = _templates(*texts)
    known = _templates(*texts, *(f"{screen}: drawn in two parts" for screen in screens))

    assert alone == {" : ".join(text.split(": ")) for text in texts}
    assert known == {"<*> : onResume", "<*> : onPause", "<*> : drawn in two parts"}
