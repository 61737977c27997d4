package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
)

// choice is an option of a form.
type choice struct {
	Value, Text string
	Chosen      bool
}

// applications are those that a key may use, by the names of their pages.
func (c *Console) applications(key *gateway.APIKey, chosen string) (all []choice) {
	for _, a := range c.o.Directory.Applications() {
		if key.AllowsApplication(a.Key) {
			all = append(all, choice{a.Key, pageName(a), a.Key == chosen})
		}
	}
	slices.SortFunc(all, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	return all
}

func pageName(a *gateway.Application) string {
	if a.PageName == "" {
		return "Page " + a.PageID
	}
	return a.PageName
}

// named is the name of an application's page; its key when the page is gone.
func (c *Console) named(app string) string {
	if a := c.o.Directory.Application(app); a != nil {
		return pageName(a)
	}
	return app
}

func kinds(chosen string) (all []choice) {
	for _, k := range gateway.EntryKinds() {
		all = append(all, choice{string(k), kindName(k), string(k) == chosen})
	}
	return all
}

// query is the address of the list: what it shows, and how to come to something else.
type query struct{ values url.Values }

// Get returns a parameter.
func (q query) Get(name string) string { return q.values.Get(name) }

// With is the address with one parameter changed; an empty value takes it out.
func (q query) With(name, value string) string {
	changed := url.Values{}
	for k, v := range q.values {
		if k != "done" && k != "n" && (k != "before" || name == "before") {
			changed[k] = v
		}
	}
	if changed.Set(name, value); value == "" {
		changed.Del(name)
	}
	if len(changed) == 0 {
		return home
	}
	return home + "?" + changed.Encode()
}

// filterNames select entry points.
var filterNames = [...]string{"application", "kind", "campaign", "tag", "ref"}

// Filtered reports whether the list is narrowed by more than the page.
func (q query) Filtered() bool {
	return slices.ContainsFunc(filterNames[1:], func(name string) bool { return q.Get(name) != "" })
}

// Sheet is the address of the print sheet of what is selected.
func (q query) Sheet() string {
	only := url.Values{}
	for _, name := range filterNames {
		if v := q.Get(name); v != "" {
			only.Set(name, v)
		}
	}
	if len(only) == 0 {
		return home + "/sheet"
	}
	return home + "/sheet?" + only.Encode()
}

// filter selects entry points for the list and the print sheet.
func (q query) filter(limit int) service.EntryPointFilter {
	f := service.EntryPointFilter{Kind: q.Get("kind"), Campaign: q.Get("campaign"), Tag: q.Get("tag"), Ref: q.Get("ref"), Before: q.Get("before"), Limit: limit}
	if app := q.Get("application"); app != "" {
		f.Applications = []string{app}
	}
	return f
}

// periods are the numbers of days that a report can be asked for.
var periods = [...]int{7, 30, 90}

const usualPeriod = 30

// span is the time that a report is about.
type span struct {
	Days     int
	ZoneName string
	zone     *time.Location
	from, to time.Time
	Problem  string // with the time zone
}

// spanOf reads it: whole days of a time zone up to today's.
func spanOf(q url.Values, now time.Time) span {
	s := span{Days: usualPeriod, ZoneName: q.Get("tz")}
	if n, err := strconv.Atoi(q.Get("days")); err == nil && slices.Contains(periods[:], n) {
		s.Days = n
	}
	var err error
	if s.zone, err = service.Zone(s.ZoneName); err != nil {
		s.zone, s.Problem = time.UTC, problems(err).For("tz")
	}
	local := now.In(s.zone)
	midnight := func(ahead int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, 0, 0, 0, s.zone)
	}
	s.from, s.to = midnight(1-s.Days), midnight(1)
	return s
}

// Periods are the choices of how many days.
func (s span) Periods() (all []choice) {
	for _, n := range periods {
		all = append(all, choice{strconv.Itoa(n), strconv.Itoa(n) + " days", n == s.Days})
	}
	return all
}

// Zone is the time zone in which days begin.
func (s span) Zone() string { return s.zone.String() }

// days lists the midnights of the span.
func (s span) days() (all []time.Time) {
	for i := range s.Days {
		all = append(all, time.Date(s.from.Year(), s.from.Month(), s.from.Day()+i, 0, 0, 0, 0, s.zone))
	}
	return all
}

// Zones are suggestions; every name of the IANA list and every offset is taken.
func (s span) Zones() []string {
	return []string{
		"UTC", "America/Lima", "America/Bogota", "America/Mexico_City", "America/Los_Angeles", "America/Chicago", "America/New_York", "America/Sao_Paulo", "America/Argentina/Buenos_Aires",
		"Europe/London", "Europe/Madrid", "Europe/Berlin", "Europe/Istanbul", "Africa/Lagos", "Africa/Nairobi", "Asia/Dubai", "Asia/Kolkata", "Asia/Jakarta", "Asia/Manila", "Asia/Tokyo", "Australia/Sydney",
	}
}
