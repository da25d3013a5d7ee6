"""A page of somebody else cannot open our sockets with our visitor's cookie (D3)."""

import pytest
import websockets

PATHS = {"/_event": "/_event/?token=00000000-0000-4000-8000-000000000000&EIO=4&transport=websocket"}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "https://localhost"])
@pytest.mark.parametrize("path", list(PATHS))
async def test_foreign_origin_is_refused(live, path, origin):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        await websockets.connect(live.base.replace("http", "ws", 1) + PATHS[path], origin=origin, open_timeout=60)
    assert refused.value.response.status_code in {400, 403}


@pytest.mark.parametrize("path", list(PATHS))
async def test_own_origin_is_served(live, path):
    async with websockets.connect(live.base.replace("http", "ws", 1) + PATHS[path], origin=live.base, open_timeout=60) as socket:
        assert await socket.recv()


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", None])
@pytest.mark.parametrize("path", ["/ws/chat", "/ws/live", "/ws/notifications/_", "/ws/Assistant/a/c/u"])
async def test_our_sockets_close_on_a_foreign_page(live, people, origin, path):
    """With a good session, so that only the origin can be the reason."""
    where = live.base.replace("http", "ws", 1) + path
    async with websockets.connect(
        where, origin=origin, additional_headers={"Cookie": people.ada.cookie}, open_timeout=60
    ) as socket:
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4003


@pytest.mark.parametrize("path", ["/ws/chat", "/ws/live", "/ws/notifications/_", "/ws/Assistant/a/c/u"])
async def test_our_sockets_close_without_a_session(live, path):
    async with websockets.connect(live.base.replace("http", "ws", 1) + path, origin=live.base, open_timeout=60) as socket:
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4001
