"""Request bodies with an end (F-074)."""

from starlette.datastructures import Headers

from mozaiks_shell.hosting.kinds import Message, Receive, Send


class BoundedBody:
    """Stops a request body over the limit, declared or chunked. Whatever the app made of the cut body is dropped."""

    def __init__(self, receive: Receive, headers: Headers, limit: int) -> None:
        declared = headers.get("content-length", "")
        self.inner, self.limit, self.seen, self.answered = receive, limit, 0, False
        self.over = declared.isdigit() and int(declared) > limit

    async def receive(self) -> Message:
        """The next message, or a disconnect when it is too much."""
        message = await self.inner()
        self.seen += len(message.get("body", b""))
        if self.seen > self.limit:
            self.over = True
            return {"type": "http.disconnect"}
        return message

    def unless_over(self, send: Send) -> Send:
        """``send`` that says nothing any more once the body was cut."""

        async def pass_on(message: Message) -> None:
            if not self.over or self.answered:
                self.answered = True
                await send(message)

        return pass_on
