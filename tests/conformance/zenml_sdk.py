"""Drives a simulated ZenML Pro with the vendor's SDK: typed calls for organizations and workspaces, and generic calls for roles
and assignments, for which the SDK has no types."""

import asyncio
import inspect
import json
import os
import urllib.parse
import urllib.request

HOME = os.environ["HOME"]
os.environ.update(
    ZENML_ANALYTICS_OPT_IN="false",
    ZENML_CONFIG_PATH=os.path.join(HOME, "zenml"),
    ZENML_LOGGING_VERBOSITY="ERROR",
    ZENML_ENABLE_RICH_TRACEBACK="false",
    AUTO_OPEN_DASHBOARD="false",
)

from pydantic import BaseModel  # noqa: E402
from zenml.exceptions import EntityExistsError, IllegalOperationError  # noqa: E402
from zenml.login.credentials_store import get_credentials_store  # noqa: E402
from zenml.login.pro.client import ZenMLProClient  # noqa: E402
from zenml.models import OAuthTokenResponse  # noqa: E402

URL = os.environ["ROLEWRIGHT_SIMULATOR_URL"]
TOKEN = os.environ["ROLEWRIGHT_SIMULATOR_TOKEN"]


class RoleCreate(BaseModel):
    """The SDK has no model for this body."""

    organization_id: str
    name: str
    level: str = "workspace"
    system_managed: bool = False
    permissions: list = [{"resource": "pipeline", "actions": ["read"]}]


class Empty(BaseModel):
    """The SDK sends a body with every POST."""


def done(answer):
    """The answer of a call. In some versions of the SDK, calls are asynchronous."""
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


def refused(call, *kinds):
    """Checks that a call is refused, and that the SDK raises one of these exceptions."""
    try:
        done(call())
    except kinds as error:
        return str(error)
    raise AssertionError("the call was not refused")


def login():
    """Starts a session with the documented login call."""
    form = urllib.parse.urlencode({"password": TOKEN}).encode()
    with urllib.request.urlopen(URL + "/auth/login", data=form) as answer:
        session = json.load(answer)
    assert session["token_type"] == "bearer" and session["expires_in"] > 0, "the session must have an end"
    get_credentials_store().set_token(URL, OAuthTokenResponse(**session), is_zenml_pro=True)
    return ZenMLProClient(URL)


def main():
    client = login()
    organizations = {one.name: one for one in done(client.organization.list())}
    organization = done(client.organization.get("acme"))
    assert organization.id == organizations["acme"].id
    assert "production" in [workspace.name for workspace in done(client.workspace.list())]

    listed = f"/organizations/{organization.id}/roles"
    predefined = done(client.get(listed, params={"system_managed": True, "limit": 100}))
    assert len(predefined) == 14 and all(role["system_managed"] for role in predefined)

    made = done(client.post("/roles", RoleCreate(organization_id=str(organization.id), name="sdk")))
    [found] = done(client.get(listed, params={"name": "sdk"}))
    assert found["id"] == made["id"] and found["level"] == "workspace"

    [user] = done(client.get("/users", params={"email": "alice@example.com"}))
    workspaces = done(client.get("/workspaces", params={"workspace_name": "production"}))
    workspace = next(one for one in workspaces if one["name"] == "production")
    assignments = f"/roles/{made['id']}/assignments"
    where = {"user_id": user["id"], "workspace_id": workspace["id"]}
    assigned = done(client.post(assignments, Empty(), params=where))
    assert assigned["user"]["username"] == user["username"]
    refused(lambda: client.post(assignments, Empty(), params=where), EntityExistsError)
    refused(lambda: client.post(assignments, Empty(), params={"user_id": user["id"]}), IllegalOperationError)
    refused(lambda: client.post(assignments, Empty(), params={}), ValueError)
    [held] = done(client.get(assignments, params={"workspace_id": workspace["id"]}))
    assert held["user"]["id"] == user["id"]
    done(client.delete(assignments, params=where))
    refused(lambda: client.delete(assignments, params=where), KeyError)
    done(client.delete(f"/roles/{made['id']}"))
    assert done(client.get(listed, params={"name": "sdk"})) == []
    refused(lambda: client.delete(f"/roles/{predefined[0]['id']}"), IllegalOperationError)


main()
