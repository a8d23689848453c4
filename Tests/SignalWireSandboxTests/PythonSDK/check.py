"""Runs SignalWire's official Python SDK, unchanged, against a sandbox.

How to run it:

    python3 -m venv venv
    venv/bin/pip install signalwire-sdk        # seen to work with 3.7.5
    subscriber-sync sandbox --port 8099 &
    SIGNALWIRE_SPACE=127.0.0.1:8099 SIGNALWIRE_PROJECT_ID=p SIGNALWIRE_API_TOKEN=t \
        venv/bin/python Tests/SignalWireSandboxTests/PythonSDK/check.py

With EXPECT_STRICT_CREDENTIALS=1 it also checks that another pair of credentials is refused, which holds
where the sandbox itself was started with SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN set.

The tests of this package run it themselves where SUBSCRIBER_SYNC_PYTHON_SDK names a Python interpreter
that has the SDK.

It uses the SDK's public client and nothing else: what it can't read, the sandbox answered wrongly.
Exit code 0 and one line per check, or a traceback.
"""

import os
import time

from signalwire.rest import RestClient, SignalWireRestError

# Needs two pages at a page size of two.
SUBSCRIBERS = 5


def refused(call, status):
    """The SDK's error of a call that must be refused with this status."""
    try:
        call()
    except SignalWireRestError as error:
        assert error.status_code == status, f"expected {status}, got {error.status_code}"
        assert error.request_id, "the answer has no request id"
        return error
    raise AssertionError(f"expected {status}, got success")


def check_tokens(client):
    """Creating a token creates the subscriber; doing it again changes the same one."""
    create = client.fabric.tokens.create_subscriber_token
    first = create(
        reference="ada@example.com",
        expire_at=int(time.time()) + 300,
        first_name="Ada",
        last_name="Lovelace",
        display_name="Ada L.",
        job_title="Analyst",
        time_zone="Europe/London",
        country="GB",
        region="us-central",
        company_name="Engines",
    )
    again = create(reference="ada@example.com", job_title="Countess")
    assert first["subscriber_id"] == again["subscriber_id"]
    assert first["token"] != again["token"]
    assert first["token"].count(".") == 4 and first["refresh_token"].count(".") == 4
    print("ok create_subscriber_token")
    return first


def check_refresh(client, minted):
    """A refresh token buys a new pair, and only a refresh token does."""
    refresh = client.fabric.tokens.refresh_subscriber_token
    pair = refresh(refresh_token=minted["refresh_token"])
    assert pair["token"] != minted["token"] and "subscriber_id" not in pair
    assert refresh(refresh_token=pair["refresh_token"])["token"] != pair["token"]
    refused(lambda: refresh(refresh_token=minted["token"]), 422)
    print("ok refresh_subscriber_token")


def check_resource(client, minted):
    """The same subscriber as a resource: another id, and the zone in another spelling."""
    subscribers = client.fabric.subscribers
    found = [item for item in subscribers.list()["data"] if item["subscriber"]["id"] == minted["subscriber_id"]]
    assert len(found) == 1
    resource = subscribers.get(found[0]["id"])
    inner = resource["subscriber"]
    assert resource["id"] != inner["id"] and resource["type"] == "subscriber"
    assert inner["email"] == "ada@example.com" and inner["timezone"] == "Europe/London"
    assert inner["job_title"] == "Countess" and inner["first_name"] == "Ada"
    refused(lambda: subscribers.get(minted["subscriber_id"]), 404)
    print("ok subscribers.get")

    updated = subscribers.update(resource["id"], email="ada@example.com", timezone="Europe/Paris")
    assert updated["subscriber"]["timezone"] == "Europe/Paris" and updated["subscriber"]["last_name"] == "Lovelace"
    print("ok subscribers.update")

    subscribers.delete(resource["id"])
    refused(lambda: subscribers.get(resource["id"]), 404)
    refused(lambda: subscribers.delete(resource["id"]), 404)
    print("ok subscribers.delete")


def check_pages(client):
    """The SDK's own iterator follows links.next to the end."""
    subscribers = client.fabric.subscribers
    emails = [f"page-{number}@example.com" for number in range(SUBSCRIBERS)]
    for email in emails:
        subscribers.create(email=email, password="password123", first_name="Page")
    listed = [item["subscriber"]["email"] for item in subscribers.paginate(page_size=2)]
    assert [email for email in listed if email.startswith("page-")] == emails
    error = refused(lambda: subscribers.create(email=emails[0]), 422)
    assert error.body["errors"][0]["code"] == "value_not_unique"
    print("ok subscribers.create, list, paginate")


def check_refusals(client):
    """Errors come in the shapes that the SDK hands on."""
    create = client.fabric.tokens.create_subscriber_token
    error = refused(lambda: create(reference="x@example.com", extras={"email": "x@example.com"}), 422)
    assert error.body["errors"][0]["attribute"] == "email"
    error = refused(lambda: create(reference="x@example.com", region="eu"), 422)
    assert error.body["errors"][0]["code"] == "unsupported_option"
    refused(lambda: create(reference="x@example.com", expire_at=1), 422)
    if os.environ.get("EXPECT_STRICT_CREDENTIALS"):
        stranger = RestClient(project="nobody", token="nothing")
        error = refused(lambda: stranger.fabric.subscribers.list(), 401)
        assert error.body == {"error": "Unauthorized"}
    print("ok refusals")


def main():
    client = RestClient()
    minted = check_tokens(client)
    check_refresh(client, minted)
    check_resource(client, minted)
    check_pages(client)
    check_refusals(client)
    print("all ok")


if __name__ == "__main__":
    main()
