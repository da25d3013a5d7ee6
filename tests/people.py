"""People on a running product: signed up and signed in over HTTP, as a browser without JavaScript would."""

import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

import httpx

from tests.live import until

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a live session."""

    base: str
    username: str
    email: str
    name: str
    cookie: str  # "name=value"

    def cookies(self) -> list[dict[str, str]]:
        """The session, as Playwright wants it."""
        name, _, value = self.cookie.partition("=")
        return [{"name": name, "value": value, "url": self.base}]

    def client(self) -> httpx.Client:
        """An HTTP client with this session that sends our own origin, as a page of ours would."""
        headers = {"origin": self.base, "cookie": self.cookie}
        return httpx.Client(base_url=self.base, headers=headers, timeout=60, follow_redirects=False)

    def has_theme(self, theme: str) -> None:
        """Wait until the server knows that this is their theme: the browser has put it on before it told the server."""

        def known() -> bool:
            with self.client() as client:
                return client.get("/api/current-theme").json()["theme"] == theme

        until(known, what=f"the theme {theme} of {self.username}")


class People:
    """Accounts of one running product. The first one made is its administrator."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._taken: Counter[str] = Counter()
        _ = self.root

    def sign_up(self, username: str, name: str) -> Person:
        """Create an account and sign in with it. Somebody else each time: a name that is taken gets a number."""
        self._taken[username] += 1
        if self._taken[username] > 1:
            username = f"{username}{self._taken[username]}"
        email = f"{username}@example.com"
        fields = {"username": username, "password": PASSWORD, "email": email, "full_name": name}
        return self._enter("/auth/register", fields, username, email, name)

    def sign_in(self, person: Person) -> Person:
        """Another session of the same person."""
        fields = {"username": person.username, "password": PASSWORD}
        return self._enter("/auth/sign-in", fields, person.username, person.email, person.name)

    def _enter(self, path: str, fields: dict[str, str], username: str, email: str, name: str) -> Person:
        def let_in() -> httpx.Response | None:
            """An address may sign up twenty people a minute: on a fast machine the tests have to wait."""
            answer = httpx.post(self.base + path, data=fields, headers={"origin": self.base}, timeout=60)
            if "error=LIMIT_EXCEEDED" not in answer.headers.get("location", ""):
                return answer
            time.sleep(1)
            return None

        answer = until(let_in, 90, f"the way in for {username}")
        assert answer.status_code == 303, answer.text
        assert "error=" not in answer.headers["location"], answer.headers["location"]
        assert urlsplit(answer.headers["location"]).path == "/"
        cookie = answer.headers["set-cookie"].split(";")[0]
        return Person(self.base, username, email, name, cookie)

    @cached_property
    def root(self) -> Person:
        """The administrator."""
        return self.sign_up("root", "Root Admin")

    @cached_property
    def ada(self) -> Person:
        """A person on the default plan."""
        return self.sign_up("ada", "Ada Lovelace")

    @cached_property
    def eve(self) -> Person:
        """Another one."""
        return self.sign_up("eve", "Eve Moreau")
