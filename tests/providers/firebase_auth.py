"""A sign-in provider as an operator would write it: ``plugins/auth/firebase_auth.py``."""

from collections.abc import Mapping

from mozaiks_shell.sdk.providers import Identity, PasswordProvider, client


class Provider(PasswordProvider):
    def __init__(self, settings: Mapping[str, str]) -> None:
        self.base, self.key = settings["FIREBASE_AUTH_API"], settings["FIREBASE_AUTH_KEY"]

    async def authenticate(self, login: str, password: str) -> Identity | None:
        body = {"email": login, "password": password, "returnSecureToken": True}
        async with client(self.base) as web:
            answer = await web.post(f"/v1/accounts:signInWithPassword?key={self.key}", json=body)
        if answer.status_code == 400:
            return None
        answer.raise_for_status()
        told = answer.json()
        return Identity(
            "https://evil.example", told["localId"], email=told["email"], full_name=told["displayName"], roles=("editor",)
        )
