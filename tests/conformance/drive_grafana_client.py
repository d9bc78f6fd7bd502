"""Drives a simulated Grafana, below the path /grafana, with the Python client grafana-client.

Needs ROLEWRIGHT_SIMULATOR_URL and ROLEWRIGHT_SIMULATOR_TOKEN, and the seeded tenant behind them.
Prints the name of each check. Ends with a traceback at the first check that fails.
"""

import json
import os
import urllib.request
import warnings
from urllib.parse import urlsplit

from grafana_client import GrafanaApi
from grafana_client.client import (
    GrafanaBadInputError,
    GrafanaClientError,
    GrafanaServerError,
    GrafanaUnauthorizedError,
)

URL = os.environ["ROLEWRIGHT_SIMULATOR_URL"]
TOKEN = os.environ["ROLEWRIGHT_SIMULATOR_TOKEN"]


def connect(auth, organization=None):
    parts = urlsplit(URL)
    return GrafanaApi(
        auth=auth,
        protocol=parts.scheme,
        host=parts.hostname,
        port=parts.port,
        url_path_prefix="grafana/",
        organization_id=organization,
    )


def sim(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/_sim/{path}", data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def raises(kind, status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        assert error.status_code == status, error
        return error
    raise AssertionError(f"{kind.__name__} expected")


def a_role_is_created_and_listed(client):
    role = {"uid": "client", "name": "client", "permissions": [{"action": "teams:create"}]}
    made = client.rbac.create_rbac_role(role)
    assert made["uid"] == "client" and made["permissions"][0]["scope"] == ""
    assert "client" in [row["uid"] for row in client.rbac.get_rbac_roles_all()]
    error = raises(GrafanaBadInputError, 400, client.rbac.create_rbac_role, role)
    assert error.response["message"]
    wrong = {"name": "wrong", "permissions": [{"action": "a:b"}]}
    error = raises(GrafanaBadInputError, 400, client.rbac.create_rbac_role, wrong)
    assert error.response["messageId"] == "accesscontrol.permission-invalid-action"


def roles_of_a_team_are_added_and_removed(client):
    (team,) = client.teams.get_team_by_name("sre")
    rbac = client.rbac
    assert rbac.add_rbac_role_team(team["id"], "client")["message"] == "Role added to the team."
    assert rbac.add_rbac_roles_team(team["id"], ["legacy-reviewer"])["message"] == "Team roles have been updated."
    raises(GrafanaClientError, 404, rbac.remove_rbac_role_team, team["id"], "client")
    assert rbac.remove_rbac_role_team(team["id"], "legacy-reviewer")["message"] == "Role removed from team."


def data_sources_have_permissions(client):
    client.rbac.set_rbac_datasources_builtin_roles("loki-main", "Viewer", "")
    (team,) = client.teams.get_team_by_name("sre")
    client.rbac.set_rbac_datasources_teams("loki-main", team["id"], "Edit")
    entries = client.rbac.get_rbac_datasources("loki-main")
    of_team = next(entry for entry in entries if entry.get("teamId") == team["id"])
    assert of_team["team"] == "sre" and of_team["permission"] == "Edit"
    assert "Viewer" not in [entry.get("builtInRole") for entry in entries]
    wrong = raises(GrafanaBadInputError, 400, client.rbac.set_rbac_datasources_teams, "loki-main", 999, "Edit")
    assert wrong.response["messageId"] == "accesscontrol.assignmentEntityNotFound"


def teams_and_members_are_created_and_deleted(client):
    team = client.teams.add_team({"name": "client"})
    users = client.organization.get_current_organization_users()
    alice = next(user["userId"] for user in users if user["login"] == "alice")
    client.teams.add_team_member(team["teamId"], alice)
    assert [member["login"] for member in client.teams.get_team_members(team["teamId"])] == ["alice"]
    client.teams.remove_team_member(team["teamId"], alice)
    assert client.teams.get_team(team["uid"])["name"] == "client"
    assert len(client.teams.search_teams(perpage=2)) == 5
    client.teams.delete_team(team["teamId"])


def service_accounts_are_created_and_deleted(client):
    accounts = client.serviceaccount
    made = accounts.create({"name": "client", "role": "Viewer"})
    token = accounts.create_token(made["id"], {"name": "t"})
    assert connect(token["key"]).organization.get_current_organization()["id"] == 1
    error = raises(GrafanaClientError, 403, connect(token["key"]).rbac.get_rbac_roles_all)
    assert error.response["accessErrorId"].startswith("ACE")
    accounts.delete(made["id"])
    raises(GrafanaUnauthorizedError, 401, connect(token["key"]).organization.get_current_organization)


def folders_and_dashboards_are_created_and_moved(client):
    top = client.folder.create_folder("Client")
    child = client.folder.create_folder("Client", parent_uid=top["uid"])
    assert [row["uid"] for row in client.folder.get_all_folders(parent_uid=top["uid"])] == [child["uid"]]
    board = client.dashboard.update_dashboard({"dashboard": {"title": "Board"}, "folderUid": child["uid"]})
    assert client.dashboard.get_dashboard(board["uid"])["meta"]["folderUid"] == child["uid"]
    found = client.search.search_dashboards(query="Board", type_="dash-db")
    assert [row["uid"] for row in found] == [board["uid"]]
    client.folder.move_folder(child["uid"], None)
    client.folder.delete_folder(top["uid"])
    assert client.folder.get_folder(child["uid"])["title"] == "Client"


def a_server_admin_can_use_all_organizations(client):
    users = client.organization.get_current_organization_users()
    admin = next(user["userId"] for user in users if user["login"] == "admin")
    grant = {"user_id": admin}
    sim("POST", "credentials", {"action": "Add", "name": "admin-login", "token": "admin:secret", "grant": grant})
    server = connect(("admin", "secret"))
    made = server.admin.create_user({"login": "zoe", "email": "zoe@example.com", "password": "secret"})
    assert server.users.find_user("zoe@example.com")["id"] == made["id"]
    raises(GrafanaClientError, 403, client.users.find_user, "zoe@example.com")
    assert server.organization.find_organization("Partners")["id"] == 2
    partners = connect(("admin", "secret"), organization=2)
    assert partners.organization.get_current_organization()["name"] == "Partners"
    error = raises(GrafanaUnauthorizedError, 401, connect(TOKEN, organization=2).rbac.get_rbac_roles_all)
    assert error.response["messageId"] == "api-key.organization-mismatch"
    server.admin.delete_user(made["id"])


def faults_become_errors_of_the_client(client):
    sim("POST", "faults", {"times": 1, "action": {"kind": "Throttle", "per_second": 0, "retry_after": 1}})
    raises(GrafanaClientError, 429, client.rbac.get_rbac_roles_all)
    sim("POST", "faults", {"times": 1, "action": {"kind": "Status", "status": 502, "body": "<html></html>"}})
    raises(GrafanaServerError, 502, client.rbac.get_rbac_roles_all)
    sim("DELETE", "faults")


CHECKS = [
    a_role_is_created_and_listed,
    roles_of_a_team_are_added_and_removed,
    data_sources_have_permissions,
    teams_and_members_are_created_and_deleted,
    service_accounts_are_created_and_deleted,
    folders_and_dashboards_are_created_and_moved,
    a_server_admin_can_use_all_organizations,
    faults_become_errors_of_the_client,
]

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    the_client = connect(TOKEN)
    for check in CHECKS:
        check(the_client)
        print("ok", check.__name__, flush=True)
    print(f"{len(CHECKS)} checks passed")
