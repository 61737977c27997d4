package comapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// patchMany merges into profiles and makes those that are not there, all or none.
func (f *Face) patchMany(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	var list []map[string]json.RawMessage
	if err := decode(body, &list); err != nil {
		return err
	}
	changes := make([]service.ProfileChange, len(list))
	for i, fields := range list {
		id := text(fields[gateway.FieldID])
		if id == "" {
			return gateway.Invalid(fmt.Sprintf("[%d].id", i), "must name the profile")
		}
		if err := q.translate(fields); err != nil {
			return within(i, err)
		}
		delete(fields, gateway.FieldID)
		changes[i] = service.ProfileChange{ID: id, Patch: encode(fields)}
	}
	profiles, err := f.o.Profiles.MergeMany(q.Context(), q.Key, changes)
	if err != nil {
		return err
	}
	shown := make([]map[string]any, len(profiles))
	for i, p := range profiles {
		shown[i] = q.showProfile(p)
	}
	return q.Reply(http.StatusOK, shown)
}

// deleteMany removes the profiles of the query, and answers the ids of those that there were.
func (f *Face) deleteMany(q *request) error {
	var ids []string
	for _, given := range q.URL.Query()["id"] {
		ids = append(ids, slices.DeleteFunc(strings.Split(given, ","), func(s string) bool { return s == "" })...)
	}
	gone, err := f.o.Profiles.DeleteMany(q.Context(), q.Key, ids)
	if err != nil {
		return err
	}
	return q.Reply(http.StatusOK, gone)
}

// defaultOptIns returns for each channel whether customers count as opted in who have not said so:
// they never do.
func (f *Face) defaultOptIns(q *request) error {
	all := map[string]bool{}
	for _, channel := range gateway.Channels() {
		all[channel] = false
	}
	return q.Reply(http.StatusOK, all)
}

// setDefaultOptIns takes what the gateway does anyway, and refuses the rest.
func (f *Face) setDefaultOptIns(q *request) error {
	body, err := q.Body()
	if err != nil {
		return err
	}
	var wanted map[string]bool
	if err := decode(body, &wanted); err != nil {
		return err
	}
	for _, channel := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[channel] {
			return gateway.Invalid(channel, "nobody counts as opted in who has not said so; record it at profiles/{id}/optin")
		}
	}
	return f.defaultOptIns(q)
}
