package comapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

// Limits of a query of profiles.
const (
	defaultQuery = 100
	maxQuery     = 1000
	queryPage    = 500
	maxScanned   = 10_000 // profiles that a query by fields without an index looks at
)

// queryProfiles answers the profiles whose fields have the values of the query, in the order of their ids.
func (f *Face) queryProfiles(q *request) error {
	values := q.URL.Query()
	limit, err := number(values, "$limit", defaultQuery, maxQuery)
	if err != nil {
		return err
	}
	skip, err := number(values, "$skip", 0, maxScanned)
	if err != nil {
		return err
	}
	filter, rest, err := q.filter(values)
	if err != nil {
		return err
	}
	fields := slices.DeleteFunc(strings.Split(values.Get("$fields"), ","), func(s string) bool { return s == "" })
	found := []map[string]any{}
	for scanned := 0; len(found) < limit; {
		page, err := f.o.Profiles.List(q.Context(), q.key, filter)
		if err != nil {
			return err
		}
		for _, p := range page {
			shown := q.showProfile(p)
			if !fits(shown, rest) {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if found = append(found, only(shown, fields)); len(found) == limit {
				break
			}
		}
		if scanned += len(page); len(page) < filter.Limit {
			break
		}
		if scanned >= maxScanned && len(rest) > 0 {
			return gateway.Invalid("", "this looks through more than %d profiles; add id, fbMessengerId, email, phoneNumber, firstName or lastName", maxScanned)
		}
		filter.After = page[len(page)-1].ID
	}
	return q.reply(http.StatusOK, found)
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

// filter turns what the store can find by into its filter, and answers the fields that are compared one by one.
func (q *request) filter(values url.Values) (store.ProfileFilter, map[string]string, error) {
	filter := store.ProfileFilter{Fields: map[string]string{}, Limit: queryPage}
	rest := map[string]string{}
	for name, given := range values {
		value := given[0]
		switch {
		case name == "apiSpaceId" || strings.HasPrefix(name, "$"):
		case len(given) > 1:
			return filter, nil, gateway.Invalid(name, "give one value")
		case name == gateway.FieldID:
			filter.IDPrefix, rest[name] = value, value
		case name == fieldMessengerID:
			filter.Person, filter.Applications = value, []string{q.space.Key}
		case slices.Contains(gateway.ProfileQueryFields(), name):
			filter.Fields[name] = value
		default:
			rest[name] = value
		}
	}
	return filter, rest, nil
}

// fits tells whether fields of a profile have the values; what is no string is compared as JSON.
func fits(shown map[string]any, want map[string]string) bool {
	for name, value := range want {
		switch have := shown[name].(type) {
		case string:
			if have != value {
				return false
			}
		case json.RawMessage:
			if text(have) != value && string(have) != value {
				return false
			}
		default:
			return false
		}
	}
	return true
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
