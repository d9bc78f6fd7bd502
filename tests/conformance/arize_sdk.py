"""Drives a simulated Arize AX with the vendor's Python SDK.

Needs ROLEWRIGHT_SIMULATOR_URL and ROLEWRIGHT_SIMULATOR_TOKEN, and the seeded tenant behind them.
Prints the name of each check. Ends with a traceback at the first check that fails.
"""

import json
import os
import urllib.request
from urllib.parse import urlsplit

from arize import ArizeClient
from arize._generated.api_client.exceptions import (
    ApiException,
    BadRequestException,
    ConflictException,
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
    UnprocessableEntityException,
)
from arize.api_keys.types import ApiKeyStatus, ApiKeyType, OrgBinding, SpaceBinding
from arize.exceptions.spaces import AmbiguousNameError
from arize.organizations.types import OrganizationRole, PredefinedOrgRole
from arize.resource_restrictions.types import ResourceRestrictionType
from arize.role_bindings.types import RoleBindingResourceType
from arize.roles.types import Permission
from arize.spaces.types import CustomSpaceRole, PredefinedSpaceRole, UserSpaceRole
from arize.users.types import InviteMode, PredefinedUserRole, UserRole, UserStatus
from arize.utils.resolve import NotFoundError

URL = os.environ["ROLEWRIGHT_SIMULATOR_URL"]
TOKEN = os.environ["ROLEWRIGHT_SIMULATOR_TOKEN"]
SPACE, PROJECT = RoleBindingResourceType.SPACE, RoleBindingResourceType.PROJECT
READ = [Permission.PROJECT_READ]


def connect(token):
    parts = urlsplit(URL)
    return ArizeClient(api_key=token, api_scheme=parts.scheme, api_host=parts.hostname, api_port=parts.port)


def sim(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/_sim/{path}", data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def raises(kind, call, **arguments):
    try:
        call(**arguments)
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} expected")


def pages(call, field, **arguments):
    found, cursor = [], None
    while True:
        page = call(cursor=cursor, **arguments)
        found.extend(getattr(page, field))
        if not page.pagination.has_more:
            assert page.pagination.next_cursor is None
            return found
        cursor = page.pagination.next_cursor


def api_keys(client, **arguments):
    # The SDK wraps each key in a type for user keys or service keys.
    return [row.actual_instance for row in client.api_keys.list(**arguments).api_keys]


def roles_work_by_id_and_by_name(client):
    role = client.roles.create(name="sdk-writer", permissions=READ, description="first")
    assert role.id and role.is_predefined is False and role.description == "first"
    assert client.roles.get(role=role.id).id == client.roles.get(role="sdk-writer").id == role.id
    both = [Permission.PROJECT_READ, Permission.PROMPT_READ]
    changed = client.roles.update(role="sdk-writer", permissions=both, description=None)
    assert set(changed.permissions) == set(both) and changed.description is None
    assert client.roles.update(role=role.id, name="sdk-author").name == "sdk-author"
    raises(NotFoundError, client.roles.get, role="sdk-writer")
    client.roles.delete(role="sdk-author")
    raises(NotFoundException, client.roles.get, role=role.id)


def roles_are_paged_and_filtered(client):
    for number in range(5):
        client.roles.create(name=f"sdk-page-{number}", permissions=READ)
    everything = pages(client.roles.list, "roles", limit=2)
    custom = pages(client.roles.list, "roles", limit=2, is_predefined=False)
    predefined = client.roles.list(is_predefined=True).roles
    assert len(everything) == len(custom) + len(predefined)
    assert {"Project Viewer", "Project Editor", "Project Admin"} <= {role.name for role in predefined}
    for number in range(5):
        client.roles.delete(role=f"sdk-page-{number}")


def role_errors_have_the_right_classes(client):
    client.roles.create(name="sdk-taken", permissions=READ)
    error = raises(ConflictException, client.roles.create, name="sdk-taken", permissions=READ)
    assert json.loads(error.body)["status"] == 409
    raises(ForbiddenException, client.roles.update, role="Project Viewer", description="mine")
    raises(ForbiddenException, client.roles.delete, role="Project Viewer")
    raises(BadRequestException, client.roles.list, limit=50, cursor="rubbish")
    client.roles.delete(role="sdk-taken")


def a_binding_blocks_the_deletion_of_its_role(client):
    alice = client.users.get(user="alice@example.com")
    project = client.projects.get(project="churn", space="research")
    role = client.roles.create(name="sdk-binder", permissions=READ)
    where = {"resource_type": PROJECT, "resource_id": project.id}
    binding = client.role_bindings.create(user_id=alice.id, role_id=role.id, **where)
    assert binding.resource_type == PROJECT and binding.resource_id == project.id
    raises(ConflictException, client.role_bindings.create, user_id=alice.id, role_id=role.id, **where)
    raises(ConflictException, client.roles.delete, role=role.id)

    viewer = client.roles.get(role="Project Viewer")
    assert client.role_bindings.update(binding_id=binding.id, role_id=viewer.id).role_id == viewer.id
    assert client.role_bindings.get(binding_id=binding.id).role_id == viewer.id
    listed = pages(client.role_bindings.list, "role_bindings", resource_type=PROJECT, limit=1)
    assert binding.id in [row.id for row in listed]
    of_alice = client.role_bindings.list(resource_type=PROJECT, user_id=alice.id).role_bindings
    assert [row.id for row in of_alice] == [binding.id]
    assert client.role_bindings.list(resource_type=SPACE, user_id=alice.id).role_bindings == []

    client.role_bindings.delete(binding_id=binding.id)
    raises(NotFoundException, client.role_bindings.get, binding_id=binding.id)
    raises(NotFoundException, client.role_bindings.delete, binding_id=binding.id)
    client.roles.delete(role=role.id)


def binding_errors_have_the_right_classes(client):
    alice = client.users.get(user="alice@example.com").id
    viewer = client.roles.get(role="Project Viewer").id
    project = client.projects.get(project="churn", space="research").id
    create = client.role_bindings.create
    raises(BadRequestException, create, user_id=alice, role_id=viewer, resource_type=SPACE, resource_id=project)
    gone = client.roles.create(name="sdk-gone", permissions=READ).id
    client.roles.delete(role=gone)
    raises(NotFoundException, create, user_id=alice, role_id=gone, resource_type=PROJECT, resource_id=project)


def restricting_is_idempotent(client):
    project = client.projects.get(project="summaries", space="research")
    first = client.resource_restrictions.restrict(resource_id=project.id)
    second = client.resource_restrictions.restrict(resource_id=project.id)
    assert first.resource_type == ResourceRestrictionType.PROJECT
    assert (first.resource_id, first.created_at) == (second.resource_id, second.created_at)
    listed = pages(client.resource_restrictions.list, "resource_restrictions", limit=1)
    assert project.id in [row.resource_id for row in listed]
    client.resource_restrictions.unrestrict(resource_id=project.id)
    raises(NotFoundException, client.resource_restrictions.unrestrict, resource_id=project.id)
    raises(BadRequestException, client.resource_restrictions.restrict, resource_id="summaries")
    other = client.projects.get(project="fraud-scores", space="research")
    raises(UnprocessableEntityException, client.resource_restrictions.restrict, resource_id=other.id)


def dashboards_and_prompts_can_be_restricted(client):
    state = sim("GET", "state")
    kinds = {"dashboards": ResourceRestrictionType.DASHBOARD, "prompts": ResourceRestrictionType.PROMPT}
    for table, kind in kinds.items():
        asset = state[table][0]["id"]
        assert client.resource_restrictions.restrict(resource_id=asset).resource_type == kind
        listed = client.resource_restrictions.list(resource_type=kind).resource_restrictions
        assert [row.resource_id for row in listed] == [asset]
        client.resource_restrictions.unrestrict(resource_id=asset)


def users_are_found_by_address_and_by_id(client):
    ann = client.users.get(user="ANN@example.com")
    assert ann.name == "Ann Rossi" and client.users.get(user=ann.id).email == ann.email
    assert client.users.get(user="nobody@example.com") is None
    invited = client.users.list(status=[UserStatus.INVITED, UserStatus.EXPIRED]).users
    assert {user.email for user in invited} == {"grace@example.com", "heidi@example.com"}
    assert len(pages(client.users.list, "users", limit=3)) == 14


def users_are_created_changed_and_deleted(client):
    role = PredefinedUserRole(name=UserRole.MEMBER)
    arguments = {"name": "Sdk", "email": "sdk@example.com", "role": role, "invite_mode": InviteMode.EMAIL_LINK}
    user = client.users.create(**arguments)
    assert user.status == UserStatus.INVITED
    client.users.resend_invitation(user_id=user.id)
    assert client.users.update(user_id=user.id, name="Sdk Two").name == "Sdk Two"
    client.users.delete(user_id=user.id)
    client.users.delete(user_id=user.id)
    raises(NotFoundException, client.users.get, user=user.id)
    raises(ConflictException, client.users.create, **arguments)


def places_are_found_by_name_and_by_id(client):
    space = client.spaces.get(space="research")
    assert client.spaces.get(space=space.id).name == "research"
    raises(AmbiguousNameError, client.spaces.get, space="sandbox")
    organization = client.organizations.get(organization="Research")
    assert space.organization_id == organization.id
    assert client.organizations.get(organization=organization.id).name == "Research"
    assert len(client.spaces.list(organization_id=organization.id).spaces) == 2
    project = client.projects.get(project="churn", space=space.id)
    assert client.projects.get(project=project.id).space_id == space.id
    assert {row.name for row in client.projects.list(space="research").projects} >= {"churn", "churn-v2"}
    assert len(pages(client.projects.list, "projects", limit=3)) == 16
    assert len(pages(client.spaces.list, "spaces", limit=4)) == 6
    assert len(pages(client.organizations.list, "organizations", limit=1)) == 3


def places_are_created_changed_and_deleted(client):
    organization = client.organizations.create(name="Sdk Org", description="d")
    space = client.spaces.create(name="sdk-space", organization_id=organization.id)
    project = client.projects.create(name="sdk-project", space=space.id)
    assert client.projects.update(project=project.id, name="sdk-renamed").name == "sdk-renamed"
    assert client.spaces.update(space="sdk-space", description="text").description == "text"
    assert client.organizations.update(organization=organization.id, name="Sdk Two").name == "Sdk Two"
    raises(ConflictException, client.projects.create, name="sdk-renamed", space=space.id)
    client.projects.delete(project=project.id)
    client.spaces.delete(space=space.id)
    client.organizations.delete(organization=organization.id)
    raises(NotFoundException, client.organizations.get, organization=organization.id)


def members_are_added_and_removed(client):
    dave = client.users.get(user="dave@example.com").id
    admin = PredefinedSpaceRole(name=UserSpaceRole.ADMIN)
    member = client.spaces.add_user(space="storefront", user_id=dave, role=admin)
    assert member.user_id == dave
    role = client.roles.create(name="sdk-clerk", permissions=READ)
    client.spaces.add_user(space="storefront", user_id=dave, role=CustomSpaceRole(id=role.id))
    bindings = client.role_bindings.list(resource_type=SPACE, user_id=dave).role_bindings
    assert [row.role_id for row in bindings] == [role.id]
    client.spaces.remove_user(space="storefront", user_id=dave)
    assert client.role_bindings.list(resource_type=SPACE, user_id=dave).role_bindings == []
    client.roles.delete(role=role.id)
    organizations = client.organizations
    organizations.remove_user(organization="Commerce", user_id=dave)
    again = PredefinedOrgRole(name=OrganizationRole.MEMBER)
    assert organizations.add_user(organization="Commerce", user_id=dave, role=again).user_id == dave


def service_keys_have_bot_users_that_can_have_roles(client):
    space = client.spaces.get(space="storefront")
    access = [OrgBinding(org_id=space.organization_id, spaces=[SpaceBinding(space=space.id)])]
    key = client.api_keys.create_service_key(name="sdk-bot", orgs=access)
    assert key.key and key.bot_user.organizations[0].spaces[0].space_id == space.id
    listed = api_keys(client, key_type=ApiKeyType.SERVICE)
    assert key.bot_user.id in [row.bot_user.id for row in listed]
    assert "sdk-bot" in [row.name for row in api_keys(client, space="storefront")]

    viewer = client.roles.get(role="Project Viewer").id
    project = client.projects.get(project="search", space=space.id).id
    where = {"resource_type": PROJECT, "resource_id": project}
    binding = client.role_bindings.create(user_id=key.bot_user.id, role_id=viewer, **where)
    client.role_bindings.delete(binding_id=binding.id)

    robot = connect(key.key)
    assert [row.name for row in robot.spaces.list().spaces] == ["storefront"]
    fresh = client.api_keys.refresh(api_key_id=key.id)
    assert fresh.id == key.id and fresh.key != key.key
    raises(UnauthorizedException, robot.spaces.list)
    client.api_keys.revoke(api_key_id=key.id)
    raises(UnauthorizedException, connect(fresh.key).spaces.list)
    revoked = api_keys(client, status=ApiKeyStatus.REVOKED)
    assert [row.name for row in revoked] == ["sdk-bot"]


def audit_logs_are_newest_first(client):
    logs = client.audit_logs.list(limit=5).logs
    assert len(logs) == 5 and logs == sorted(logs, key=lambda log: log.created_at, reverse=True)


def answers_depend_on_the_credential(client):
    raises(UnauthorizedException, connect("wrong").roles.list)
    grant = {"account_role": "ADMIN", "permissions": ["PROJECT_READ"]}
    sim("POST", "credentials", {"action": "Add", "name": "sdk-narrow", "token": "narrow", "grant": grant})
    narrow = connect("narrow")
    raises(ForbiddenException, narrow.roles.list)
    assert narrow.role_bindings.list(resource_type=PROJECT).role_bindings == []
    seed = client.role_bindings.list(resource_type=PROJECT).role_bindings[0]
    raises(NotFoundException, narrow.role_bindings.get, binding_id=seed.id)
    where = {"resource_type": PROJECT, "resource_id": seed.resource_id}
    alice = client.users.get(user="alice@example.com").id
    raises(ForbiddenException, narrow.role_bindings.create, user_id=alice, role_id=seed.role_id, **where)
    sim("POST", "credentials", {"action": "Expire", "name": "sdk-narrow"})
    raises(UnauthorizedException, narrow.role_bindings.list, resource_type=PROJECT)


def faults_become_errors_of_the_sdk(client):
    sim("POST", "faults", {"times": 1, "action": {"kind": "Throttle", "per_second": 0, "retry_after": None}})
    error = raises(ApiException, client.roles.list)
    assert error.status == 429 and json.loads(error.body)["status"] == 429
    # With Retry-After, the SDK's HTTP library waits and retries.
    seen = sim("GET", "requests")["last"]
    sim("POST", "faults", {"times": 1, "action": {"kind": "Throttle", "per_second": 0, "retry_after": 1}})
    assert client.roles.list().roles
    asked = sim("GET", f"requests?since={seen}")["requests"]
    assert [request["status"] for request in asked] == [429, 200]
    sim("POST", "faults", {"times": 1, "action": {"kind": "Status", "status": 503}})
    raises(ServiceException, client.roles.list)
    sim("DELETE", "faults")


CHECKS = [
    roles_work_by_id_and_by_name,
    roles_are_paged_and_filtered,
    role_errors_have_the_right_classes,
    a_binding_blocks_the_deletion_of_its_role,
    binding_errors_have_the_right_classes,
    restricting_is_idempotent,
    dashboards_and_prompts_can_be_restricted,
    users_are_found_by_address_and_by_id,
    users_are_created_changed_and_deleted,
    places_are_found_by_name_and_by_id,
    places_are_created_changed_and_deleted,
    members_are_added_and_removed,
    service_keys_have_bot_users_that_can_have_roles,
    audit_logs_are_newest_first,
    answers_depend_on_the_credential,
    faults_become_errors_of_the_sdk,
]

if __name__ == "__main__":
    the_client = connect(TOKEN)
    for check in CHECKS:
        check(the_client)
        print("ok", check.__name__, flush=True)
    print(f"{len(CHECKS)} checks passed")
