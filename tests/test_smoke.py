"""The first account is admin, a session resolves, a closed one does not."""

from mozaiks_shell.identity import service


async def test_first_account_becomes_admin(database):
    first = await service.register("ada", "correct horse battery", "ada@example.com")
    second = await service.register("eve", "correct horse battery", "eve@example.com")
    assert (first.roles, second.roles) == ("admin", "user")
    secret = await service.open_session(first)
    person = await service.resolve(secret)
    assert person and person.user_id == first.id and person.has_role("admin")
    await service.close_session(secret)
    assert await service.resolve(secret) is None
