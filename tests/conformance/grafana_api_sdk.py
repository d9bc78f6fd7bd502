"""Drives a simulated Grafana with the Python SDK grafana-api-sdk.

Needs ROLEWRIGHT_SIMULATOR_URL and ROLEWRIGHT_SIMULATOR_TOKEN, the seeded tenant behind them, and a server that answers
200 when a role is created. The SDK raises only Exception, and cannot read empty lists.
Prints the name of each check. Ends with a traceback at the first check that fails.
"""

import json
import logging
import os
import urllib.request

from grafana_api.folder import Folder
from grafana_api.model import APIModel, CustomRole, RolePermission
from grafana_api.organisation import Organisation
from grafana_api.rbac import RBAC
from grafana_api.service_account import ServiceAccount
from grafana_api.team import Team

URL = os.environ["ROLEWRIGHT_SIMULATOR_URL"]
TOKEN = os.environ["ROLEWRIGHT_SIMULATOR_TOKEN"]
MODEL = APIModel(host=URL, token=TOKEN)
RBAC_API = RBAC(MODEL)
ORGANISATION = Organisation(MODEL)


def sim(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/_sim/{path}", data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def raises(call, *arguments):
    seen = sim("GET", "requests")["last"]
    logging.disable(logging.CRITICAL)
    try:
        call(*arguments)
    except Exception:
        # Only the status of the server counts. Without a request, the error is the SDK's own.
        return sim("GET", f"requests?since={seen}")["requests"][-1]["status"]
    finally:
        logging.disable(logging.NOTSET)
    raise AssertionError("an exception was expected")


def user(login):
    users = ORGANISATION.get_all_users_by_the_current_organization()
    return next(row["userId"] for row in users if row["login"] == login)


def role(name, **fields):
    permissions = [RolePermission(action="reports:read", scope="reports:*"), RolePermission(action="reports:create")]
    return CustomRole(name=name, uid=name, permissions=permissions, **fields)


def uids(roles):
    return [entry["uid"] for entry in roles]


def access_control_is_on():
    assert RBAC_API.get_status() is True


def a_role_is_created_changed_and_deleted():
    made = RBAC_API.create_role(role("sdk-writer", description="first", display_name="Writer", group="Sdk"))
    assert made["uid"] == "sdk-writer" and made["group"] == "Sdk"
    read = RBAC_API.get_role("sdk-writer")
    held = {(permission["action"], permission["scope"]) for permission in read["permissions"]}
    assert held == {("reports:read", "reports:*"), ("reports:create", "")}
    changed = RBAC_API.update_role("sdk-writer", role("sdk-author", version=read["version"] + 1))
    assert changed["name"] == "sdk-author" and changed["version"] == read["version"] + 1
    assert raises(RBAC_API.update_role, "sdk-writer", role("sdk-author", version=read["version"])) == 400
    assert "sdk-writer" in uids(RBAC_API.get_all_roles())
    assert raises(RBAC_API.create_role, role("sdk-author")) == 400
    RBAC_API.delete_role("sdk-writer")
    assert raises(RBAC_API.get_role, "sdk-writer") == 404


def hidden_roles_are_listed_on_request():
    assert "basic_admin" not in uids(RBAC_API.get_all_roles())
    assert "basic_admin" in uids(RBAC_API.get_all_roles(include_hidden_roles=True))


def predefined_roles_are_protected():
    assert raises(RBAC_API.create_role, CustomRole(name="fixed:mine")) == 400
    assert raises(RBAC_API.delete_role, "basic_viewer", False, True) == 400
    assert raises(RBAC_API.create_role, CustomRole(name="wrong", permissions=[RolePermission(action="a:b")])) == 400


def roles_of_users_and_accounts_are_added_and_removed():
    RBAC_API.create_role(role("sdk-given"))
    accounts = ServiceAccount(MODEL)
    account = accounts.create_service_account("sdk-bot", "Viewer")["id"]
    people = [
        (
            user("alice"),
            RBAC_API.add_user_role_assignment,
            RBAC_API.get_user_assigned_roles,
            RBAC_API.get_user_assigned_permissions,
            RBAC_API.update_user_role_assignments,
            RBAC_API.remove_user_role_assignment,
        ),
        (
            account,
            RBAC_API.add_service_account_role_assignment,
            RBAC_API.get_service_account_assigned_roles,
            RBAC_API.get_service_account_assigned_permissions,
            RBAC_API.update_service_account_role_assignments,
            RBAC_API.remove_service_account_role_assignment,
        ),
    ]
    for who, add, listed, permissions, update, remove in people:
        add(who, "sdk-given")
        assert uids(listed(who)) == ["sdk-given"]
        assert "reports:create" in [held["action"] for held in permissions(who)]
        update(who, ["legacy-reviewer"])
        assert uids(listed(who)) == ["legacy-reviewer"]
        remove(who, "legacy-reviewer")
        assert raises(remove, who, "legacy-reviewer") == 404
    assert raises(RBAC_API.add_user_role_assignment, 999, "sdk-given") == 404
    accounts.delete_service_account(account)
    RBAC_API.delete_role("sdk-given")


def roles_of_a_team_are_added_and_removed():
    sre = Team(MODEL).search_team(query="sre")["teams"][0]["id"]
    RBAC_API.create_role(role("sdk-team"))
    RBAC_API.add_team_role_assignment(sre, "sdk-team")
    assert uids(RBAC_API.get_team_assigned_roles(sre)) == ["sdk-team"]
    assert raises(RBAC_API.delete_role, "sdk-team") == 400
    RBAC_API.update_team_role_assignments(sre, ["legacy-reviewer"])
    assert uids(RBAC_API.get_team_assigned_roles(sre)) == ["legacy-reviewer"]
    RBAC_API.remove_team_role_assignment(sre, "legacy-reviewer")
    RBAC_API.add_team_role_assignment(sre, "sdk-team")
    RBAC_API.delete_role("sdk-team", True)


def resetting_basic_roles_needs_a_permission():
    assert raises(RBAC_API.reset_basic_roles_to_their_default) == 403
    grant = {"permissions": {"roles:write": ["permissions:type:escalate"]}}
    sim("POST", "credentials", {"action": "Add", "name": "sdk", "token": "escalate", "grant": grant})
    RBAC(APIModel(host=URL, token="escalate")).reset_basic_roles_to_their_default()


def service_accounts_have_tokens_that_work():
    accounts = ServiceAccount(MODEL)
    made = accounts.create_service_account("sdk-robot", "Admin")
    assert accounts.search_service_account(query="sdk-robot")["totalCount"] == 1
    token = accounts.create_service_account_token_by_id(made["id"], "t", "Admin")
    robot = RBAC(APIModel(host=URL, token=token["key"]))
    assert robot.get_status() is True
    accounts.update_service_account(made["id"], "sdk-robot", "Viewer")
    assert raises(robot.get_status) == 403
    accounts.delete_service_account_token_by_id(made["id"], token["id"])
    assert raises(robot.get_status) == 401
    accounts.delete_service_account(made["id"])


def places_are_found():
    assert ORGANISATION.get_current_organization()["name"] == "Main Org."
    assert {"sre", "data", "finance"} <= {row["uid"] for row in Folder(MODEL).get_folders()}
    assert Folder(MODEL).get_folder_by_uid("sre-runbooks")["parentUid"] == "sre"


CHECKS = [
    access_control_is_on,
    a_role_is_created_changed_and_deleted,
    hidden_roles_are_listed_on_request,
    predefined_roles_are_protected,
    roles_of_users_and_accounts_are_added_and_removed,
    roles_of_a_team_are_added_and_removed,
    resetting_basic_roles_needs_a_permission,
    service_accounts_have_tokens_that_work,
    places_are_found,
]

if __name__ == "__main__":
    for check in CHECKS:
        check()
        print("ok", check.__name__, flush=True)
    print(f"{len(CHECKS)} checks passed")
