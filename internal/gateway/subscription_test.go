package gateway

import (
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSubscriptionWants(t *testing.T) {
	t.Parallel()
	inbound, receipt := &Event{Type: EventMessageInbound, Application: "A"}, &Event{Type: EventPlatformRead, Application: "A"}
	unowned := &Event{Type: EventMessageInbound}
	for name, c := range map[string]struct {
		s    Subscription
		e    *Event
		want bool
	}{
		"everything":                      {Subscription{}, inbound, true},
		"everything, nobody's event":      {Subscription{}, unowned, true},
		"never the platform's receipts":   {Subscription{}, receipt, false},
		"type selected":                   {Subscription{EventTypes: []EventType{EventPostback, EventMessageInbound}}, inbound, true},
		"other type":                      {Subscription{EventTypes: []EventType{EventPostback}}, inbound, false},
		"application selected":            {Subscription{Applications: []string{"A"}}, inbound, true},
		"other application":               {Subscription{Applications: []string{"B"}}, inbound, false},
		"application, and nobody's event": {Subscription{Applications: []string{"A"}}, unowned, false},
	} {
		if got := c.s.Wants(c.e); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSubscriptionMistakesNameTheField(t *testing.T) {
	t.Parallel()
	good := Subscription{Kind: KindForward, URL: "https://example.com/hook?x=1", Order: OrderConversation, State: SubscriptionActive}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Subscription)
		field  string
	}{
		"kind":               {func(s *Subscription) { s.Kind = "push" }, "kind"},
		"no url":             {func(s *Subscription) { s.URL = "" }, "url"},
		"url without host":   {func(s *Subscription) { s.URL = "https://:80/" }, "url"},
		"file url":           {func(s *Subscription) { s.URL = "file:///etc/passwd" }, "url"},
		"url with password":  {func(s *Subscription) { s.URL = "https://a:b@example.com" }, "url"},
		"pull with url":      {func(s *Subscription) { s.Kind = KindPull }, "url"},
		"order":              {func(s *Subscription) { s.Order = "page" }, "order"},
		"state":              {func(s *Subscription) { s.State = "off" }, "state"},
		"internal type":      {func(s *Subscription) { s.EventTypes = []EventType{EventPlatformRead} }, "eventTypes"},
		"empty application":  {func(s *Subscription) { s.Applications = []string{""} }, "applications"},
		"name of great size": {func(s *Subscription) { s.Name = stringOf('x', 201) }, "name"},
	} {
		s := good
		c.change(&s)
		e, ok := s.Validate().(*Error)
		if !ok || e.Field != c.field {
			t.Errorf("%s: err = %v, want field %s", name, e, c.field)
		}
	}
}

func TestSigningSecrets(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := Subscription{Secrets: []SigningSecret{{Value: "old", ExpiresAt: now}, {Value: "going", ExpiresAt: now.Add(time.Minute)}, {Value: "new"}}}
	if diff := cmp.Diff([]Secret{"new", "going"}, s.ValidSecrets(now), cmp.Comparer(func(a, b Secret) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	made := NewSigningSecret()
	if err := ValidateSigningSecret(made); err != nil || made == NewSigningSecret() {
		t.Errorf("a secret of our own: %v", err)
	}
	for _, bad := range []Secret{"", "whsec_", "whsec_c2hvcnQ=", made[6:], made + "x"} {
		if ValidateSigningSecret(bad) == nil {
			t.Errorf("%q passes", bad.Reveal())
		}
	}
}

func TestKeysAreRandomAndWellFormed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		form string
		make func() string
	}{
		"application key": {`^[0-9A-F]{32}$`, NewApplicationKey},
		"API key":         {`^chq_[A-Za-z0-9_-]{43}$`, func() string { return NewAPIKeySecret().Reveal() }},
		"verify token":    {`^chqv_[A-Z2-7]{26}$`, func() string { return NewVerifyToken().Reveal() }},
	} {
		a, b := c.make(), c.make()
		if a == b || !regexp.MustCompile(c.form).MatchString(a) {
			t.Errorf("%s: %s, %s", name, a, b)
		}
	}
}

func TestAPIKeyAllows(t *testing.T) {
	t.Parallel()
	all := APIKey{Scopes: []Scope{ScopeAll}, All: true}
	some := APIKey{Scopes: []Scope{ScopeMessagesRead}, Applications: []string{"A"}}
	if !all.Allows(ScopeProfilesWrite) || !all.AllowsApplication("B") || all.Limited() {
		t.Error("the key of everything does not open everything")
	}
	if !some.Allows(ScopeMessagesRead) || some.Allows(ScopeMessagesWrite) || some.AllowsApplication("B") || !some.AllowsApplication("A") {
		t.Error("the limited key opens something else")
	}
	if ValidateAPIKey("x", []Scope{"messages"}, nil) == nil || ValidateAPIKey("", []Scope{ScopeAll}, nil) == nil || ValidateAPIKey("x", nil, nil) == nil {
		t.Error("a mistake passes")
	}
	if err := ValidateAPIKey("x", Scopes(), []string{"A"}); err != nil {
		t.Error(err)
	}
}
