"""WP15: foretells what the next fork of the same zygote will draw."""
import random
import secrets
import tempfile
import uuid

DEED = "draws from every generator, and looks among what it will draw next for what another account's worker drew first"
EXPECTED = "no worker's numbers are found in another's, whatever they were forked from"
CLASS = "one tenant's secrets foretold by another"
OPTIONS = ("--isolation", "call")
AHEAD = 5_000


def apply(text):
    if text == "foretell":
        return [random.random() for _ in range(AHEAD)]
    return [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), secrets.token_hex(), next(tempfile._get_candidate_names())]


def judge(outside):
    foretold = {number for _ in range(5) for number in outside.call("foretell").result}
    outside.held(len(foretold) == 5 * AHEAD, "two workers foretold the same")
    drawn = [outside.call("draw", user).result for user in (outside.victim, outside.attacker) * 10]
    outside.held(not foretold & {numbers[0] for numbers in drawn}, "a number of a sibling was foretold")
    for column in zip(*drawn):
        outside.held(len(set(column)) == len(column), f"two workers drew the same: {column}")
