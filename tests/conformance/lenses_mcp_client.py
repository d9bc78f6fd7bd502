"""Drives a simulated Lenses HQ with the vendor's client for MCP: the typed calls for environments, and its HTTP client for roles and groups,
for which it has no types."""

import asyncio
import os

os.environ["LENSES_URL"] = os.environ["ROLEWRIGHT_SIMULATOR_URL"]
os.environ["LENSES_API_KEY"] = os.environ["ROLEWRIGHT_SIMULATOR_TOKEN"]

from fastmcp import Client, FastMCP  # noqa: E402
from lenses_mcp.clients.http_client import api_client  # noqa: E402
from lenses_mcp.tools.environments import register_environments  # noqa: E402

API = "/api/v1"


async def refusal(method, path, body=None):
    """The title of the error that the client raises."""
    try:
        await api_client._make_request(method, API + path, body)
    except Exception as error:  # noqa: BLE001, the client raises nothing more precise
        return str(error).removeprefix("API request failed: ")
    raise AssertionError(f"{method} {path} succeeded")


async def environments():
    server = FastMCP("conformance")
    register_environments(server)
    async with Client(server) as tools:

        async def call(tool, **arguments):
            content = (await tools.call_tool(tool, arguments)).structured_content
            # A result that is no object is wrapped.
            return content["result"] if content.keys() == {"result"} else content

        listed = await call("list_environments")
        assert all({"status", "metadata"} <= one.keys() for one in listed), listed
        name = listed[0]["name"]
        # The client's own check_environment_health reads these fields, but it cannot call its other tool.
        status = (await call("get_environment", name=name))["status"]
        assert status["agent_connected"] and status["agent"]["metrics"]["kafka"]["num_brokers"] > 0, status
        made = await call("create_environment", name="lab", tier="staging", metadata={"team": "data"})
        assert made["agent_key"] and made["tier"] == "staging", made
        assert (await call("get_environment", name="lab"))["status"] == {"agent_connected": False}
        assert (await call("get_environment", name="lab"))["metadata"] == {"team": "data"}


async def access_control():
    request = api_client._make_request
    policy = [{"effect": "allow", "action": "kafka:ListTopics", "resource": "kafka:topic:*"}]
    role = await request("POST", f"{API}/roles", {"name": "reader", "policy": policy})
    assert role["policy"] == policy and role["id"], role
    assert "reader" in [one["name"] for one in (await request("GET", f"{API}/roles"))["items"]]
    assert await refusal("POST", "/roles", {"name": "reader"}) == "the role reader exists"
    body = {"name": "readers", "roles": ["reader"], "members": ["alice@example.com", "nightly-reports"]}
    group = await request("POST", f"{API}/groups", body)
    assert [one["name"] for one in group["users"]] == ["alice@example.com"], group
    assert [one["name"] for one in group["service_accounts"]] == ["nightly-reports"], group
    group = await request("PATCH", f"{API}/groups/readers", {"add_members": ["peggy"]})
    assert len(group["users"]) == 2, group
    assert (await request("DELETE", f"{API}/groups/readers"))["success"]
    assert (await request("DELETE", f"{API}/roles/reader"))["success"]
    assert await refusal("GET", "/roles/reader") == "the role reader does not exist"


async def main():
    await environments()
    await access_control()


asyncio.run(main())
