package graphemu

import (
	"slices"
)

// listened reports whether events are worth making. The lock is held.
func (s *Server) listened() bool {
	return !s.Quiet && !s.closed
}

// emit queues an event for every app that has subscribed to its field; apps that
// do not have the thread see it in standby. p is nil for events of the page
// itself. The lock is held.
func (s *Server) emit(page *pageState, p *personState, e event) {
	if s.Quiet || s.closed {
		return
	}
	type shape struct {
		version graphVersion
		standby bool
	}
	var entries map[shape][]byte
	record := EventRecord{Time: s.clock.now(), PageID: page.ID, Field: e.field, EventID: e.id}
	if p != nil {
		record.PSID = p.ID
	}
	defer func() { s.records.addEvent(record) }()
	for _, appID := range s.appOrder {
		app := s.apps[appID]
		standby, wanted := s.wants(app, page, p, e)
		if !wanted {
			continue
		}
		record.Apps = append(record.Apps, appID)
		if standby {
			record.Standby = append(record.Standby, appID)
		}
		sh := shape{parseVersion(app.Callback.Version), standby || e.sender != "" && e.sender != appID}
		entry := entries[sh]
		if entry == nil {
			var err error
			if entry, err = e.entry(page.ID, s.clock.now().UnixMilli(), sh.version, standby); err != nil {
				s.log().Error("event cannot be written", "field", e.field, "error", err)
				return
			}
			if entries == nil {
				entries = map[shape][]byte{}
			}
			entries[sh] = entry
		}
		d := delivery{page: page.ID, event: e, entry: entry}
		if p != nil {
			d.person = p.ID
		}
		s.courier.take(appID, d)
	}
}

// wants tells whether an app is to hear of an event, and whether in standby.
func (s *Server) wants(app *appState, page *pageState, p *personState, e event) (standby, wanted bool) {
	fields, subscribed := page.Subscribed[app.ID]
	if app.Callback == nil || !subscribed || e.only != "" && e.only != app.ID || app.Development && p != nil && !p.Tester {
		return false, false
	}
	field := e.field
	if p != nil && e.only == "" && !page.shared(p) && page.owner(p) != app.ID {
		if !slices.Contains([]string{"messages", "message_echoes", "message_reads", "message_deliveries", "messaging_postbacks"}, field) {
			return false, false
		}
		standby, field = true, "standby"
	}
	return standby, slices.Contains(fields, field) && slices.Contains(app.Callback.Fields, field)
}
