// Drives Grafana's own Go client (grafana-openapi-client-go) against the simulator: every operation on access control, and the lookups
// that an operator needs. The client accepts only the documented codes, and decodes the documented bodies.
package main

import (
	"fmt"
	"net/url"
	"os"
	"strconv"

	"github.com/go-openapi/strfmt"
	goapi "github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/access_control"
	"github.com/grafana/grafana-openapi-client-go/client/folders"
	"github.com/grafana/grafana-openapi-client-go/client/org"
	"github.com/grafana/grafana-openapi-client-go/client/search"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/client/teams"
	"github.com/grafana/grafana-openapi-client-go/models"
)

// must returns the answer of a call, or ends the program with what failed.
func must[T any](answer T, err error) T {
	check(err == nil, "%v", err)
	return answer
}

func check(isTrue bool, message string, values ...any) {
	if !isTrue {
		panic(fmt.Sprintf(message, values...))
	}
}

func of[T any](value T) *T { return &value }

func main() {
	address := must(url.Parse(os.Getenv("ROLEWRIGHT_SIMULATOR_URL")))
	client := goapi.NewHTTPClientWithConfig(strfmt.Default, &goapi.TransportConfig{
		Host:     address.Host,
		BasePath: "/grafana/api", // The test starts the simulator below /grafana.
		Schemes:  []string{address.Scheme},
		APIKey:   os.Getenv("ROLEWRIGHT_SIMULATOR_TOKEN"),
	})
	user := lookUps(client)
	team := newTeam(client)
	account := newServiceAccount(client)
	roles(client, user, team, account)
	resources(client, user, team)
	groups(client)
	fmt.Println("OK")
}

// lookUps returns the number of alice.
func lookUps(client *goapi.GrafanaHTTPAPI) int64 {
	current := must(client.Org.GetCurrentOrg()).Payload
	check(current.ID == 1 && current.Name == "Main Org.", "organization %v", current)
	query := org.NewGetOrgUsersForCurrentOrgParams().WithQuery(of("alice"))
	users := must(client.Org.GetOrgUsersForCurrentOrg(query)).Payload
	check(len(users) == 1 && users[0].Login == "alice" && users[0].Role == "Viewer", "users %v", users)
	slim := must(client.Org.GetOrgUsersForCurrentOrgLookup(org.NewGetOrgUsersForCurrentOrgLookupParams())).Payload
	check(len(slim) > 5 && slim[0].UserID > 0, "slim users %v", slim)
	sources := must(client.Datasources.GetDataSources()).Payload
	check(len(sources) == 3, "data sources %v", sources)
	source := must(client.Datasources.GetDataSourceByUID("loki-main")).Payload
	check(source.Name == "Loki" && source.Type == "loki", "data source %v", source)
	check(must(client.Datasources.GetDataSourceByName("Loki")).Payload.UID == "loki-main", "data source by name")
	hits := must(client.Search.Search(search.NewSearchParams().WithType(of("dash-folder")))).Payload
	check(len(hits) == 6 && hits[0].UID != "", "folders %v", hits)
	_, err := client.Folders.GetFolderByUID("nothing")
	_, isMissing := err.(*folders.GetFolderByUIDNotFound)
	check(isMissing, "a missing folder: %v", err)
	return users[0].UserID
}

func newTeam(client *goapi.GrafanaHTTPAPI) int64 {
	created := must(client.Teams.CreateTeam(&models.CreateTeamCommand{Name: of("go-team")})).Payload
	found := must(client.Teams.SearchTeams(teams.NewSearchTeamsParams().WithName(of("go-team")))).Payload
	check(found.TotalCount == 1 && *found.Teams[0].ID == created.TeamID, "teams %v", found)
	return created.TeamID
}

func newServiceAccount(client *goapi.GrafanaHTTPAPI) int64 {
	form := models.CreateServiceAccountForm{Name: "go-account", Role: "Viewer"}
	create := service_accounts.NewCreateServiceAccountParams().WithBody(&form)
	created := must(client.ServiceAccounts.CreateServiceAccount(create)).Payload
	read := must(client.ServiceAccounts.RetrieveServiceAccount(created.ID)).Payload
	check(read.Name == "go-account", "service account %v", read)
	query := service_accounts.NewSearchOrgServiceAccountsWithPagingParams().WithQuery(of("go-acc"))
	found := must(client.ServiceAccounts.SearchOrgServiceAccountsWithPaging(query)).Payload
	check(found.TotalCount == 1 && found.ServiceAccounts[0].ID == created.ID, "service accounts %v", found)
	return created.ID
}

// roles creates, reads, changes, assigns and deletes a role. The client cannot decode the documented answers of two operations: the status, and
// the roles of one team.
func roles(client *goapi.GrafanaHTTPAPI, user, team, account int64) {
	api := client.AccessControl
	permission := &models.Permission{Action: "reports:read", Scope: "reports:*"}
	form := models.CreateRoleForm{Name: "go:role", UID: "go-role", Permissions: []*models.Permission{permission}}
	created := must(api.CreateRole(&form)).Payload
	check(*created.UID == "go-role" && len(created.Permissions) == 1, "role %v", created)
	change := models.UpdateRoleCommand{Name: "go:role", DisplayName: of("Go"), Group: of("Tests")}
	changed := must(api.UpdateRole("go-role", &change)).Payload
	check(*changed.DisplayName == "Go" && len(changed.Permissions) == 0, "changed role %v", changed)
	listed := must(api.ListRoles(access_control.NewListRolesParams().WithIncludeHidden(of(true)))).Payload
	check(len(listed) > 20, "%d roles", len(listed))
	must(api.GetRole("go-role"))

	for _, id := range []int64{user, account} {
		must(api.AddUserRole(id, &models.AddUserRoleCommand{RoleUID: "go-role"}))
		must(api.AddUserRole(id, &models.AddUserRoleCommand{RoleUID: "go-role"}))
	}
	must(api.AddTeamRole(team, &models.AddTeamRoleCommand{RoleUID: "go-role"}))
	assigned := must(api.GetRoleAssignments("go-role")).Payload
	check(len(assigned.Users) == 1 && len(assigned.Teams) == 1 && len(assigned.ServiceAccounts) == 1, "assigned %v", assigned)
	direct := must(api.ListUserRoles(access_control.NewListUserRolesParams().WithUserID(user))).Payload
	check(len(direct) == 1 && *direct[0].UID == "go-role", "roles of a user %v", direct)
	users := must(api.ListUsersRoles(&models.RolesSearchQuery{UserIds: []int64{user, account}})).Payload
	check(len(users[strconv.FormatInt(user, 10)]) == 1, "roles of users %v", users)
	ofTeams := must(api.ListTeamsRoles(&models.RolesSearchQuery{TeamIds: []int64{team}})).Payload
	check(len(ofTeams[strconv.FormatInt(team, 10)]) == 1, "roles of teams %v", ofTeams)

	_, err := api.DeleteRole(access_control.NewDeleteRoleParams().WithRoleUID("go-role"))
	_, isRefused := err.(*access_control.DeleteRoleBadRequest)
	check(isRefused, "an assigned role: %v", err)
	must(api.RemoveUserRole(access_control.NewRemoveUserRoleParams().WithUserID(user).WithRoleUID("go-role")))
	must(api.RemoveTeamRole(team, "go-role"))
	must(api.SetRoleAssignments("go-role", &models.SetRoleAssignmentsCommand{Users: []int64{user}}))
	must(api.SetUserRoles(access_control.NewSetUserRolesParams().WithUserID(user).WithBody(&models.SetUserRolesCommand{})))
	must(api.SetTeamRoles(access_control.NewSetTeamRolesParams().WithTeamID(team).WithBody(&models.SetTeamRolesCommand{})))
	must(api.DeleteRole(access_control.NewDeleteRoleParams().WithRoleUID("go-role").WithGlobal(of(false))))
}

// resources reads and changes the permissions of a folder.
func resources(client *goapi.GrafanaHTTPAPI, user, team int64) {
	api := client.AccessControl
	levels := must(api.GetResourceDescription("folders")).Payload
	check(len(levels.Permissions) == 3 && levels.Assignments.BuiltInRoles, "levels %v", levels)
	edit := &models.SetPermissionCommand{Permission: "Edit"}
	must(api.SetResourcePermissionsForUser(access_control.NewSetResourcePermissionsForUserParams().
		WithResource("folders").WithResourceID("finance").WithUserID(user).WithBody(edit)))
	must(api.SetResourcePermissionsForTeam(access_control.NewSetResourcePermissionsForTeamParams().
		WithResource("folders").WithResourceID("finance").WithTeamID(team).WithBody(edit)))
	must(api.SetResourcePermissionsForBuiltInRole(access_control.NewSetResourcePermissionsForBuiltInRoleParams().
		WithResource("folders").WithResourceID("finance").WithBuiltInRole("Viewer").WithBody(&models.SetPermissionCommand{})))
	shown := must(api.GetResourcePermissions("finance", "folders")).Payload
	managed := 0
	for _, entry := range shown {
		if entry.IsManaged {
			managed++
		}
		check(entry.BuiltInRole != "Viewer", "a removed permission %v", entry)
	}
	check(managed == 4, "%d permissions", managed)
	must(client.Folders.GetFolderPermissionList("finance"))
	must(client.Folders.GetFolderDescendantCounts("finance"))
	must(client.Dashboards.GetDashboardPermissionsListByUID("home"))
	// Permissions of nothing are an empty list.
	check(len(must(api.GetResourcePermissions("nothing", "folders")).Payload) == 0, "permissions of nothing")
}

// groups maps an external group to a role.
func groups(client *goapi.GrafanaHTTPAPI) {
	api := client.GroupAttributeSync
	body := &models.GroupAttributes{Roles: []string{"legacy-reviewer"}}
	must(api.CreateGroupMappings("go-group", body))
	must(api.UpdateGroupMappings("go-group", body))
	listed := must(api.GetMappedGroups()).Payload
	check(listed.Total == 1 && listed.Groups[0].GroupID == "go-group", "groups %v", listed)
	check(len(must(api.GetGroupRoles("go-group")).Payload) == 1, "roles of a group")
	must(api.DeleteGroupMappings("go-group"))
}
