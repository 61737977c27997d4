package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/store"
)

func testAccount() *gateway.ChannelAccount {
	return &gateway.ChannelAccount{Provider: "twilio", Channel: gateway.ChannelSMS, State: gateway.AccountActive, Name: "texts",
		Settings: []byte(`{"accountSid":"AC1","from":"+4479460000"}`), Secrets: map[string]gateway.Secret{"authToken": "plain-token"}}
}

func TestChannelAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, testChannels)
}

func testChannels(t *testing.T, _ string, s *store.Store) {
	v, keyFile := openVault(t, s)
	ctx := t.Context()
	a, b := testAccount(), testAccount()
	b.Application, b.Secrets = "APP", nil
	for _, account := range []*gateway.ChannelAccount{a, b} {
		if err := v.CreateChannel(ctx, account); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(a.ID, "chn_") || a.Channel != gateway.ChannelSMS {
		t.Errorf("made %+v", a)
	}
	list, err := v.Channels(ctx)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if diff := cmp.Diff(a.Secrets, list[0].Secrets, sameSecret); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(string(a.Settings), string(list[0].Settings)); diff != "" || list[1].Application != "APP" || list[1].Secrets != nil {
		t.Error(diff, list[1])
	}
	before, _ := v.ChannelsVersion(ctx)
	changed, err := v.UpdateChannel(ctx, a.ID, func(a *gateway.ChannelAccount) error {
		a.State, a.Secrets = gateway.AccountDisabled, map[string]gateway.Secret{"authToken": "other"}
		return nil
	})
	if err != nil || changed.State != gateway.AccountDisabled {
		t.Fatal(changed, err)
	}
	if after, _ := v.ChannelsVersion(ctx); after <= before {
		t.Errorf("version %d after %d", after, before)
	}
	refused := gateway.Invalid("x", "no")
	if _, err := v.UpdateChannel(ctx, a.ID, func(a *gateway.ChannelAccount) error { a.Name = "kept?"; return refused }); err != refused {
		t.Error(err)
	}
	one, err := v.Channel(ctx, a.ID)
	if err != nil || one.Name != "texts" || one.Secrets["authToken"].Reveal() != "other" {
		t.Errorf("%+v %v", one, err)
	}
	sealedApart(t, s, keyFile)
	for _, id := range []string{a.ID, b.ID} {
		if err := v.DeleteChannel(ctx, id); err != nil {
			t.Error(err)
		}
	}
	if err := v.DeleteChannel(ctx, a.ID); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Error(err)
	}
}

// An account as versions before have written it is read, whoever its provider is, and written in
// the same form.
func TestChannelAccountsOfBefore(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ string, s *store.Store) {
		v, _ := openVault(t, s)
		for provider, settings := range map[string]string{
			"smpp": `{"host":"smsc.example","port":2775,"receipts":true}`, "twilio": `{"accountSid":"AC1","from":"Shop \u003c3"}`, "smtp": `{"host":"mail.example","senders":["@shop.example"]}`,
			"webhook": `{"url":"https://shop.example/messages"}`, "of another day": `{"anything":[1,2]}`,
		} {
			a := testAccount()
			a.Provider, a.Settings = gateway.Provider(provider), []byte(`{}`)
			if err := v.CreateChannel(t.Context(), a); err != nil {
				t.Fatal(err)
			}
			err := s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(`UPDATE channels SET doc = ? WHERE id = ?`, `{"name":"texts","`+provider+`":`+settings+`,"keywords":{"stop":["NO"],"stopAnswer":"Bye."}}`, a.ID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // as it was, and as it is written again
				got, err := v.Channel(t.Context(), a.ID)
				if err != nil || string(got.Settings) != settings || got.Name != "texts" || got.Keywords.StopAnswer != "Bye." || (*got.Keywords.Stop)[0] != "NO" {
					t.Errorf("%s: %s %+v %v", provider, got.Settings, got, err)
				}
				if _, err := v.UpdateChannel(t.Context(), a.ID, func(*gateway.ChannelAccount) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// sealedApart holds that an account's secrets alone keep a database to its key file.
func sealedApart(t *testing.T, s *store.Store, keyFile string) {
	t.Helper()
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenVault(t.Context(), s, keyFile); err == nil {
		t.Error("a database with sealed secrets opened without its key file")
	}
}

func TestOptOuts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ string, s *store.Store) {
		ctx, at := t.Context(), s.Now().UTC().Truncate(time.Millisecond)
		set := func(o gateway.OptOut) (fresh bool) {
			err := s.Write(ctx, func(tx *store.Tx) (err error) { fresh, err = tx.SetOptOut(o); return err })
			if err != nil {
				t.Fatal(err)
			}
			return fresh
		}
		one, two := gateway.OptOut{Channel: "sms", Address: "4477", At: gatewayapi.At(at), Word: "STOP"}, gateway.OptOut{Channel: "email", Address: "a@b.example", At: gatewayapi.At(at)}
		if !set(one) || !set(two) || set(gateway.OptOut{Channel: "sms", Address: "4477", At: gatewayapi.At(at.Add(time.Hour)), Word: "QUIT"}) {
			t.Error("an address is recorded once")
		}
		for address, want := range map[string]bool{"4477": true, "4478": false} {
			if got, err := s.OptedOut(ctx, "", "sms", address); err != nil || got != want {
				t.Errorf("%s: %v %v", address, got, err)
			}
		}
		all, err := s.OptOuts(ctx, store.OptOutFilter{Limit: 10})
		if diff := cmp.Diff([]gateway.OptOut{two, one}, all); err != nil || diff != "" {
			t.Error(diff, err)
		}
		rest, err := s.OptOuts(ctx, store.OptOutFilter{AfterChannel: "email", AfterAddress: "a@b.example", Limit: 10})
		if diff := cmp.Diff([]gateway.OptOut{one}, rest); err != nil || diff != "" {
			t.Error(diff, err)
		}
		var was, again bool
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.Write(ctx, func(tx *store.Tx) (err error) { was, err = tx.DeleteOptOut("", "sms", "4477"); return err }))
		must(s.Write(ctx, func(tx *store.Tx) (err error) { again, err = tx.DeleteOptOut("", "sms", "4477"); return err }))
		if !was || again {
			t.Error(was, again)
		}
	})
}

func TestSegments(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ string, s *store.Store) {
		ctx, at := t.Context(), s.Now().UTC().Truncate(time.Millisecond)
		write := func(fn func(tx *store.Tx) error) {
			t.Helper()
			if err := s.Write(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		take := func(ref string, part int) {
			write(func(tx *store.Tx) error {
				return tx.TakeSegment(store.Segment{Account: "chn_1", Ref: ref, Message: "msg_1", Step: 1, Part: part, Parts: 2}, []string{ref})
			})
		}
		receipt := func(state gateway.Status, ref string, canons ...string) (g store.Segment) {
			write(func(tx *store.Tx) (err error) {
				g, err = tx.SegmentReceipt("chn_1", ref, canons, state, &gateway.Failure{Code: "x"}, at)
				return err
			})
			return g
		}
		take("a", 0)
		if early := receipt(gateway.StatusDelivered, "0b", "b"); early.Message != "" || early.Ref != "0b" {
			t.Errorf("a receipt before its answer: %+v", early)
		}
		if open, err := s.Unreported(ctx, "chn_1", 10); err != nil || len(open) != 0 {
			t.Error(open, err)
		}
		take("b", 1)
		if open, err := s.Unreported(ctx, "chn_1", 10); err != nil || len(open) != 1 || open[0].Message != "msg_1" || open[0].Step != 1 {
			t.Error(open, err)
		}
		if g := receipt(gateway.StatusSent, "A", "a"); g.Ref != "a" || g.State != gateway.StatusSent || g.Part != 0 {
			t.Errorf("by its second form: %+v", g)
		}
		receipt(gateway.StatusDelivered, "a")
		if g := receipt(gateway.StatusFailed, "a"); g.State != gateway.StatusDelivered {
			t.Errorf("what is final stays: %+v", g)
		}
		list, err := s.Segments(ctx, "chn_1", "msg_1", 1)
		if err != nil || len(list) != 2 || list[0].Ref != "a" || list[1].State != gateway.StatusDelivered || !list[1].At.Equal(at) || list[1].Failure.Code != "x" {
			t.Fatal(list, err)
		}
		if err := s.SegmentsReported(ctx, list); err != nil {
			t.Fatal(err)
		}
		if open, err := s.Unreported(ctx, "chn_1", 10); err != nil || len(open) != 0 {
			t.Error(open, err)
		}
		if n, err := s.RetireSegments(ctx, s.Now().Add(time.Minute), s.Now().Add(time.Minute)); err != nil || n != 2 {
			t.Error(n, err)
		}
	})
}

func TestFragments(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ string, s *store.Store) {
		ctx := t.Context()
		add := func(part int) (have []store.Fragment) {
			f := store.Fragment{Account: "chn_1", Sender: "44", Recipient: "55", Ref: 7, Part: part, Parts: 3, Body: string(rune('a' + part))}
			if err := s.Write(ctx, func(tx *store.Tx) (err error) { have, err = tx.AddFragment(f); return err }); err != nil {
				t.Fatal(err)
			}
			return have
		}
		add(3)
		add(1)
		if have := add(1); len(have) != 2 || have[0].Part != 1 || have[1].Body != "d" {
			t.Errorf("%+v", have)
		}
		stale, err := s.StaleFragments(ctx, "chn_1", s.Now().Add(time.Minute))
		if err != nil || len(stale) != 2 {
			t.Fatal(stale, err)
		}
		if err := s.DropFragments(ctx, stale[0]); err != nil {
			t.Fatal(err)
		}
		if stale, err = s.StaleFragments(ctx, "chn_1", s.Now().Add(time.Minute)); err != nil || len(stale) != 0 {
			t.Fatal(stale, err)
		}
	})
}

func TestProfilesByPhone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ string, s *store.Store) {
		find := func(digits string) (id string) {
			if err := s.Write(t.Context(), func(tx *store.Tx) (err error) { id, err = tx.ProfileWithPhone("", digits); return err }); err != nil {
				t.Fatal(err)
			}
			return id
		}
		for id, number := range map[string]string{"a": "+44 7700 900001", "b": "447700900002", "c": "0044 7700 900003", "d": "none"} {
			p, err := gateway.ParseProfile([]byte(`{"id":"` + id + `","phoneNumber":"` + number + `"}`))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.CreateProfile(p) }); err != nil {
				t.Fatal(err)
			}
		}
		for digits, want := range map[string]string{"447700900001": "a", "447700900002": "b", "447700900003": "c", "447700900004": ""} {
			if got := find(digits); got != want {
				t.Errorf("%s: %q", digits, got)
			}
		}
		// What is listed by the number as it is written stays as it was.
		if list, err := s.ListProfiles(t.Context(), store.ProfileFilter{Fields: map[string]string{"phoneNumber": "+44 7700 900001"}, Limit: 10}); err != nil || len(list) != 1 {
			t.Error(list, err)
		}
	})
}
