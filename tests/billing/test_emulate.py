"""Against emulate, a Stripe server we did not write: our checkout, its hosted page, its webhook to our real port.

It has customers, prices, checkout sessions with a hosted page, and signed webhooks, but no subscriptions and no
portal. Its events carry no id. So what is tested is a plan that is paid once.
"""

import asyncio
import re

import httpx
import pytest


@pytest.fixture
async def checkout(emulate, stripe_mode, shell_port, configure, sign_up):
    """Ada on the hosted page for the lifetime plan."""
    stripe_mode("http://localhost:1")
    shell = await shell_port()
    base = emulate(f"{shell}/api/billing/webhook/stripe")
    stripe_mode(base)
    ada = await sign_up("ada")
    answer = await ada.post("/api/billing/checkout", plan="forever")
    assert answer.status_code == 200, answer.text
    return ada, base, answer.json()["url"]


async def pay(url):
    """What a person does on the hosted page: look, press the button."""
    async with httpx.AsyncClient() as browser:
        page = await browser.get(url)
        assert page.status_code == 200 and "$12.00" in page.text
        action = re.search(r'<form[^>]*method="post"[^>]*action="([^"]+)"|<form[^>]*action="([^"]+)"', page.text)
        assert action, page.text
        return await browser.post(httpx.URL(url).join(action[1] or action[2]))


async def test_a_purchase_from_button_to_plan(checkout):
    ada, base, url = checkout
    assert url.startswith(base)
    assert (await ada.plan())["plan"] == "free"
    paid = await pay(url)
    assert paid.status_code == 302 and paid.headers["location"].startswith("http://localhost:3000/plans?checkout=success")
    for _ in range(600):
        if (mine := await ada.plan())["plan"] == "forever":
            break
        await asyncio.sleep(0.1)
    assert (mine["plan"], mine["status"], mine["access_until"]) == ("forever", "active", None)
    steps = (await ada.get("/api/billing/history")).json()["history"]
    assert [(step["previous_plan"], step["new_plan"], step["actor"]) for step in steps] == [("free", "forever", "stripe")]
    again = await pay_again(url)
    assert "no longer available" in again
    assert len((await ada.get("/api/billing/history")).json()["history"]) == 1


async def pay_again(url):
    async with httpx.AsyncClient(follow_redirects=True) as browser:
        return (await browser.post(f"{url}/complete")).text


async def test_one_customer_for_all_checkouts(checkout):
    ada, base, _ = checkout
    await ada.post("/api/billing/checkout", plan="forever")
    async with httpx.AsyncClient(base_url=base, headers={"authorization": "Bearer sk_test_shell"}) as web:
        mine = (await web.get("/v1/customers", params={"email": "ada@example.com"})).json()["data"]
        sessions = (await web.get("/v1/checkout/sessions")).json()["data"]
    assert [one["metadata"] for one in mine] == [{"user_id": ada.principal.user_id, "app_id": "dev-app"}]
    assert {one["customer"] for one in sessions} == {mine[0]["id"]}
