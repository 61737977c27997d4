package comapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// Limits of a query of profiles.
const (
	defaultQuery = 100
	maxQuery     = 1000
	queryPage    = 500
	maxScanned   = 10_000 // profiles that a query by fields without an index looks at
)

// profileQuery is what a query of profiles asks for.
type profileQuery struct {
	filter      service.ProfileFilter
	rest        []condition // looked at one profile after the other
	sort        []sorting
	fields      []string
	limit, skip int
}

// queryProfiles returns the profiles that a query wants, in the order of their ids unless it is
// sorted.
func (f *Face) queryProfiles(q *request) error {
	query, err := q.profileQuery()
	if err != nil {
		return err
	}
	found, err := q.find(query)
	if err != nil {
		return err
	}
	if len(query.sort) > 0 {
		slices.SortStableFunc(found, func(a, b map[string]any) int { return order(query.sort, a, b) })
	}
	found = found[min(query.skip, len(found)):]
	found = found[:min(query.limit, len(found))]
	list := make([]map[string]any, len(found))
	for i, shown := range found {
		list[i] = only(shown, query.fields)
	}
	return q.Reply(http.StatusOK, list)
}

// find returns the profiles that fit: as many as are asked for, or all when they are to be sorted.
func (q *request) find(query *profileQuery) ([]map[string]any, error) {
	var found []map[string]any
	filter := query.filter
	for scanned := 0; ; {
		page, err := q.f.o.Profiles.List(q.Context(), q.Key, filter)
		if err != nil {
			return nil, err
		}
		for _, p := range page {
			if shown := q.showProfile(p); fits(shown, query.rest) {
				found = append(found, shown)
			}
		}
		enough := len(query.sort) == 0 && len(found) >= query.skip+query.limit
		if scanned += len(page); len(page) < filter.Limit || enough {
			return found, nil
		}
		if scanned >= maxScanned && (len(query.rest) > 0 || len(query.sort) > 0) {
			return nil, gateway.Invalid("", "this looks through more than %d profiles; add id, fbMessengerId, email, phoneNumber, firstName or lastName", maxScanned)
		}
		filter.After = page[len(page)-1].ID
	}
}

// profileQuery reads the query of the address.
func (q *request) profileQuery() (*profileQuery, error) {
	values := q.URL.Query()
	query := &profileQuery{filter: service.ProfileFilter{Fields: map[string]string{}, Limit: queryPage}, sort: sortings(values)}
	var err error
	if query.limit, err = number(values, "$limit", defaultQuery, maxQuery); err != nil {
		return nil, err
	}
	if query.skip, err = number(values, "$skip", 0, maxScanned); err != nil {
		return nil, err
	}
	query.fields = slices.DeleteFunc(strings.Split(values.Get("$fields"), ","), func(s string) bool { return s == "" })
	for name, given := range values {
		switch {
		case name == "apiSpaceId":
		case strings.HasPrefix(name, "$"):
			if err := option(name, given[0]); err != nil {
				return nil, err
			}
		default:
			conditions, err := conditionsOf(name, given)
			if err != nil {
				return nil, err
			}
			for _, c := range conditions {
				q.narrow(query, c)
			}
		}
	}
	return query, nil
}

// option checks a name with $: those that add what there is not here are passed over.
func option(name, value string) error {
	switch name {
	case "$limit", "$skip", "$fields", "$sort", "$includeDeleted", "$includeDevices", "$includeSessions", "$includeSystem":
		return nil
	case "$schemaOnly":
		if value == "false" {
			return nil
		}
		return gateway.Invalid(name, "profiles have no schema here")
	}
	return gateway.Invalid(name, "is no option of a query")
}

// narrow puts a condition into the store's filter where the store can find by it.
func (q *request) narrow(query *profileQuery, c condition) {
	value, plain := c.plain()
	name := strings.Join(c.path, ".")
	_, taken := query.filter.Fields[name]
	switch {
	case plain && name == gateway.FieldID && query.filter.IDPrefix == "":
		query.filter.IDPrefix = value
	case plain && name == fieldMessengerID && query.filter.Person == "":
		query.filter.Person, query.filter.Applications = value, []string{q.space.Key}
		return
	case plain && !taken && slices.Contains(gateway.ProfileQueryFields(), name):
		query.filter.Fields[name] = value
		return
	}
	query.rest = append(query.rest, c)
}

// number reads a count from the query.
func number(values url.Values, name string, otherwise, most int) (int, error) {
	given := values.Get(name)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 0 || n > most {
		return 0, gateway.Invalid(name, "must be a number from 0 to %d", most)
	}
	return n, nil
}

// fits reports whether a profile is as all conditions want it.
func fits(shown map[string]any, conditions []condition) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !c.holds(shown) })
}

// only keeps the fields that were asked for, and the id.
func only(shown map[string]any, fields []string) map[string]any {
	if len(fields) == 0 {
		return shown
	}
	kept := map[string]any{gateway.FieldID: shown[gateway.FieldID]}
	for _, name := range fields {
		if value, ok := shown[name]; ok {
			kept[name] = value
		}
	}
	return kept
}
