package project

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/messenger"
)

const (
	fetchers     = 4 // people asked for at once
	fetchBatch   = 64
	fetchPoll    = 2 * time.Second
	fetchTimeout = 20 * time.Second
	fetchTries   = 6
	firstRetry   = 10 * time.Second
)

// profileFields is everything a page may learn about a person; with locale, timezone and gender
// only after a review of the app, so that a refusal is followed by a question for the fields that
// every app may have.
//
// Docs: https://developers.facebook.com/docs/messenger-platform/identity/user-profile
var profileFields = []string{"name", "first_name", "last_name", "profile_pic", "locale", "timezone", "gender"}

// fetch asks the platform about newcomers until ctx ends.
func (p *Projector) fetch(ctx context.Context) {
	tick := time.NewTicker(fetchPoll)
	defer tick.Stop()
	for {
		due, err := p.o.Store.DueFetches(ctx, p.o.Store.Now(), fetchBatch)
		if err != nil && ctx.Err() == nil {
			p.o.Logger.Warn("read whom to ask the platform about", "err", err)
		}
		p.fetchAll(ctx, due)
		if len(due) == fetchBatch {
			continue
		}
		select {
		case <-p.newcomer:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p *Projector) fetchAll(ctx context.Context, due []store.Fetch) {
	places := make(chan struct{}, fetchers)
	var all sync.WaitGroup
	for _, f := range due {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if err := p.fetchOne(ctx, f); err != nil && ctx.Err() == nil {
				p.o.Logger.Warn("fetch profile", "application", f.Lane.Application, "err", err)
			}
		})
	}
	all.Wait()
}

func (p *Projector) fetchOne(ctx context.Context, f store.Fetch) error {
	app := p.o.Directory.Application(f.Lane.Application)
	if app == nil {
		return p.o.Store.FinishFetch(ctx, f, time.Time{}, nil)
	}
	client, err := p.o.Platform.Client(app)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	answer, err := client.UserProfile(ctx, messenger.PSID(f.Lane.Person), profileFields...)
	var refused *messenger.Error
	if errors.As(err, &refused) && (errors.Is(err, messenger.ErrPermission) || errors.Is(err, messenger.ErrInvalid)) {
		answer, err = client.UserProfile(ctx, messenger.PSID(f.Lane.Person))
	}
	if err != nil {
		return p.postpone(ctx, f, err)
	}
	return p.o.Store.FinishFetch(ctx, f, time.Time{}, facebook(answer, p.o.Store.Now()))
}

// postpone decides when to ask again: with growing pauses while the platform is in trouble, and
// never when it refuses this person.
func (p *Projector) postpone(ctx context.Context, f store.Fetch, cause error) error {
	var again time.Time
	var refused *messenger.Error
	wait := firstRetry << f.Tries
	if errors.As(cause, &refused) {
		switch v := refused.Verdict(); v.Action {
		case messenger.Retry, messenger.WaitUntil, messenger.PageBroken:
			wait = max(wait, v.After)
		default:
			return p.o.Store.FinishFetch(ctx, f, again, nil)
		}
	}
	if f.Tries+1 < fetchTries {
		again = p.o.Store.Now().Add(wait)
	}
	return p.o.Store.FinishFetch(context.WithoutCancel(ctx), f, again, nil)
}

// facebook is what the profile keeps of the platform's answer: its fields but the id, and when they
// were read.
func facebook(answer messenger.UserProfile, now time.Time) map[string]json.RawMessage {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(answer.Raw, &fields) != nil {
		return nil
	}
	delete(fields, "id")
	for name, value := range fields {
		fields[name] = gateway.CleanJSON(value)
	}
	firstName(fields)
	fields["lastRefreshedOn"] = json.RawMessage(`"` + gateway.FormatTime(now) + `"`)
	return fields
}

// firstName takes the first word of the name for the first name where the platform gives the name
// only, as it does for people of some countries.
func firstName(fields map[string]json.RawMessage) {
	var name string
	if _, given := fields["first_name"]; given || json.Unmarshal(fields["name"], &name) != nil {
		return
	}
	if words := strings.Fields(name); len(words) > 0 {
		if encoded, err := json.Marshal(words[0]); err == nil {
			fields["first_name"] = encoded
		}
	}
}
