package service_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/service"
	"github.com/chasqui/chasqui/internal/service/servicetest"
	"github.com/chasqui/chasqui/internal/store"
)

// everyChannel has an account for each channel.
type everyChannel struct{}

func (everyChannel) Has(_, _ string) bool { return true }

func planner(in *servicetest.Inside) *service.Messages {
	return &service.Messages{Store: in.Store, Directory: in.Directory, Accounts: everyChannel{}, Policy: &service.Policy{Store: in.Store, Directory: in.Directory, Observe: true}}
}

// A plan fills in what is stored of the customer, and leaves the input as it was: a caller that
// plans it again gets the same.
func TestPlanLeavesItsInputAlone(t *testing.T) {
	t.Parallel()
	in := servicetest.Open(t)
	in.Connect("A")
	profile := in.Profile("A", "100")
	if err := in.Store.Write(t.Context(), func(tx *store.Tx) error {
		p, err := tx.Profile(profile.ID)
		if err != nil {
			return err
		}
		p.Doc = map[string]json.RawMessage{"firstName": json.RawMessage(`"Ana"`), "phoneNumber": json.RawMessage(`"+44 7700 900123"`)}
		return tx.UpdateProfile(p)
	}); err != nil {
		t.Fatal(err)
	}
	input := func() *gateway.MessageInput {
		return &gateway.MessageInput{
			To: gateway.To{ProfileID: profile.ID}, Body: "Hello {{profile.firstName}}", Rules: []gateway.Rule{{Channel: "fbMessenger", Body: "Hi {{profile.firstName}}"}, {Channel: "sms"}},
			MessageParts: []gateway.PartInput{{Type: "text/plain", Data: "Dear {{profile.firstName}}"}},
		}
	}
	messages, given := planner(in), input()
	for range 2 {
		m, err := messages.Plan(t.Context(), gateway.Everything(), given)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Steps) != 2 || m.Steps[1].Address != "447700900123" {
			t.Errorf("steps %+v", m.Steps)
		}
		var stored gateway.MessageInput
		if err := json.Unmarshal(m.Request, &stored); err != nil {
			t.Fatal(err)
		}
		if stored.Body != "Hello Ana" || stored.MessageParts[0].Data != "Dear Ana" || stored.Rules[0].Body != "Hi Ana" || stored.Application != "A" {
			t.Errorf("stored %s", m.Request)
		}
		if diff := cmp.Diff(input(), given); diff != "" {
			t.Errorf("the input has changed:\n%s", diff)
		}
	}
}

// Through which application a message goes is what is named, or the only one that the key may use
// and that knows the person; otherwise the caller has to say.
func TestThroughWhichApplication(t *testing.T) {
	t.Parallel()
	in := servicetest.Open(t)
	in.Connect("A", "B")
	a, both := in.Profile("A", "100"), in.Profile("B", "200")
	messages := planner(in)
	limited := &gateway.APIKey{Scopes: []gateway.Scope{gateway.ScopeAll}, Applications: []string{"B"}}
	for name, c := range map[string]struct {
		key  *gateway.APIKey
		to   gateway.To
		app  string
		want string
		code gateway.Code
	}{
		"named":                                {gateway.Everything(), gateway.To{FBMessengerID: "300"}, "B", "B", ""},
		"known to one":                         {gateway.Everything(), gateway.To{FBMessengerID: "200"}, "", "B", ""},
		"by profile":                           {gateway.Everything(), gateway.To{ProfileID: a.ID}, "", "A", ""},
		"known to none":                        {gateway.Everything(), gateway.To{FBMessengerID: "300"}, "", "", gateway.CodeApplicationAmbiguous},
		"the key's only one":                   {limited, gateway.To{FBMessengerID: "300"}, "", "B", ""},
		"another's":                            {limited, gateway.To{FBMessengerID: "100"}, "A", "", gateway.CodeInvalidRequest},
		"another's profile":                    {limited, gateway.To{ProfileID: a.ID}, "", "", gateway.CodeInvalidRequest},
		"the key's profile":                    {limited, gateway.To{ProfileID: both.ID}, "", "B", ""},
		"an application that is not connected": {gateway.Everything(), gateway.To{FBMessengerID: "1"}, "C", "", gateway.CodeInvalidRequest},
	} {
		m, err := messages.Plan(t.Context(), c.key, &gateway.MessageInput{To: c.to, Body: "x", Application: c.app})
		switch {
		case gateway.CodeOf(err) != c.code:
			t.Errorf("%s: %v", name, err)
		case err == nil && m.Application != c.want:
			t.Errorf("%s: through %q", name, m.Application)
		}
	}
}
