"""What is stored of a password, and which passwords are good enough."""

import argon2
import pytest

from mozaiks_shell.identity import passwords

SHIPPED, SHIPPED_DUMMY = passwords._hasher, passwords._DUMMY


def test_the_shipped_parameters_are_at_least_what_owasp_asks():
    assert SHIPPED.memory_cost >= 19 * 1024 and SHIPPED.time_cost >= 2
    assert argon2.extract_parameters(SHIPPED_DUMMY) == argon2.extract_parameters(SHIPPED.hash("x")), "unknown names cost the same"


async def test_hash_and_verify():
    stored = await passwords.hash_password("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify_password(stored, "correct horse battery")
    assert not await passwords.verify_password(stored, "correct horse batterz")
    assert not await passwords.verify_password("", "no such account")
    assert not await passwords.verify_password("not a hash", "x")
    assert not await passwords.verify_password(stored, "\ud800")


@pytest.mark.parametrize("password", ["correct horse battery", "ein Satz, den ich mag", "短いけれど長い合言葉です", "x9!" * 80])
def test_good_ones(password):
    assert passwords.weaknesses(password, "ada", "ada@example.com", "Ada Lovelace") == []


def test_the_list_holds_only_what_length_lets_through():
    assert all(len(word) >= passwords.MIN_LENGTH and word == word.casefold() for word in passwords._COMMON)
