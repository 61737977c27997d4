package graphemu

import "slices"

// listened reports whether events have to be made at all. The lock is held.
func (w *world) listened() bool { return !w.quiet && !w.closed }

// emit passes an event to the courier for every app that has subscribed to its field. Apps that
// do not control the thread receive it in standby. p is nil for events of the page itself. The
// lock is held.
func (w *world) emit(page *pageState, p *personState, e event) {
	if !w.listened() {
		return
	}
	type shape struct {
		version graphVersion
		standby bool
	}
	var entries map[shape][]byte
	record := EventRecord{Time: w.clock.now(), PageID: page.ID, Field: e.field, EventID: e.id}
	if p != nil {
		record.PSID = p.ID
	}
	defer func() { w.records.addEvent(record) }()
	for _, appID := range w.appOrder {
		app := w.apps[appID]
		standby, wanted := app.wants(page, p, e)
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
			if entry, err = e.entry(page.ID, w.clock.now().UnixMilli(), sh.version, standby); err != nil {
				w.log.Error("event cannot be written", "field", e.field, "error", err)
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
		w.courier.take(appID, d)
	}
}

// wants reports whether the app receives an event, and whether in standby.
func (app *appState) wants(page *pageState, p *personState, e event) (standby, wanted bool) {
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

// emitChange emits a change of a field that is not one of Messenger, to one app or to all. The
// lock is held.
func (w *world) emitChange(page *pageState, p *personState, field, only string, value any) event {
	e := w.threads.fromPage(page, field)
	e.only, e.change = only, mustJSON(map[string]any{"field": field, "value": value})
	w.emit(page, p, e)
	return e
}

// target returns where the webhooks of an app about a page go now; url is "" when
// it is no longer subscribed.
func (w *world) target(appID, pageID string) (url, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	app, page := w.apps[appID], w.pages[pageID]
	if app == nil || app.Callback == nil || page == nil || page.Subscribed[appID] == nil {
		return "", ""
	}
	return app.Callback.URL, app.Secret
}

// arrived marks people's messages as delivered once the app has answered the webhook.
func (w *world) arrived(batch []delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range batch {
		if d.event.mid == "" {
			continue
		}
		page, person, err := w.find(d.page, d.person)
		if err != nil {
			continue
		}
		if m := person.message(d.event.mid); m != nil && m.DeliveredAt.IsZero() {
			m.DeliveredAt = w.clock.now()
			w.announceThread(page, person)
		}
	}
}
