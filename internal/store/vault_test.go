package store_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/internal/seal"
	"github.com/chasqui/chasqui/internal/store"
	"github.com/chasqui/chasqui/internal/store/storetest"
)

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, url string, s *store.Store)) {
	t.Helper()
	for name, fresh := range map[string]func(testing.TB) string{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := fresh(t)
			test(t, url, storetest.Open(t, url))
		})
	}
}

func openVault(t *testing.T, s *store.Store) (v *store.Vault, keyFile string) {
	t.Helper()
	keyFile = filepath.Join(t.TempDir(), "chasqui.key")
	v, err := store.OpenVault(t.Context(), s, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return v, keyFile
}

func testApplication(appID, pageID string) *gateway.Application {
	return &gateway.Application{
		Key: gateway.NewApplicationKey(), PageID: pageID, PageName: "Page", AppID: appID, State: gateway.ApplicationActive,
		AccessToken: "EAA-token", AppSecret: "app-secret", VerifyToken: gateway.NewVerifyToken(),
	}
}

var sameSecret = cmp.Comparer(func(a, b gateway.Secret) bool { return a == b })

func TestApplications(t *testing.T) {
	t.Parallel()
	onBoth(t, testApplications)
}

func testApplications(t *testing.T, _ string, s *store.Store) {
	v, _ := openVault(t, s)
	ctx := t.Context()
	a := testApplication("1", "10")
	if err := v.CreateApplication(ctx, a); err != nil {
		t.Fatal(err)
	}
	again := testApplication("1", "10")
	err := v.CreateApplication(ctx, again)
	if gateway.CodeOf(err) != gateway.CodeConflict || !strings.Contains(err.Error(), a.Key) {
		t.Errorf("the same page twice: %v", err)
	}
	if err := v.SetDoor(ctx, "1", a.Key); err != nil {
		t.Fatal(err)
	}
	before, _ := v.Versions(ctx, store.ChangeApplications)
	paused, err := v.UpdateApplication(ctx, a.Key, func(a *gateway.Application) error {
		a.State, a.Paused, a.PausedAt = gateway.ApplicationPaused, &gateway.Failure{Code: "token_invalid", Message: "expired"}, s.Now().UTC().Truncate(time.Millisecond)
		a.AccessToken, a.LastCheck = "EAA-new", &gateway.ApplicationCheck{OK: true, Permissions: []string{"pages_messaging"}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := v.Versions(ctx, store.ChangeApplications); after[store.ChangeApplications] <= before[store.ChangeApplications] {
		t.Errorf("version %v after %v", after, before)
	}
	got, err := v.Application(ctx, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	paused.CreatedAt, paused.UpdatedAt = got.CreatedAt, got.UpdatedAt // stored in milliseconds
	if diff := cmp.Diff(paused, got, sameSecret); diff != "" {
		t.Errorf("-updated +read:\n%s", diff)
	}
	if !got.Door || got.AccessToken != "EAA-new" || got.AppSecret != "app-secret" {
		t.Errorf("door or secrets are wrong: %+v", got)
	}
	refused := errors.New("no")
	if _, err := v.UpdateApplication(ctx, a.Key, func(a *gateway.Application) error { a.PageName = "lost"; return refused }); !errors.Is(err, refused) {
		t.Errorf("err = %v", err)
	}
	if got, _ := v.Application(ctx, a.Key); got.PageName != "Page" {
		t.Error("a refused change was stored")
	}
	if err := v.DeleteApplication(ctx, a.Key); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"read": second(v.Application(ctx, a.Key)), "delete": v.DeleteApplication(ctx, a.Key),
		"update": second(v.UpdateApplication(ctx, a.Key, func(*gateway.Application) error { return nil })),
	} {
		if gateway.CodeOf(err) != gateway.CodeNotFound {
			t.Errorf("%s after delete: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSecretsAreSealedOnDisk(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.SQLite(t))
	v, _ := openVault(t, s)
	if err := v.CreateApplication(t.Context(), testApplication("1", "10")); err != nil {
		t.Fatal(err)
	}
	signing := gateway.NewSigningSecret()
	sub := &gateway.Subscription{Kind: gateway.KindForward, State: gateway.SubscriptionActive, Secrets: []gateway.SigningSecret{{ID: "a", Value: signing}}}
	if err := v.CreateSubscription(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	key := gateway.NewAPIKeySecret()
	if err := s.CreateKey(t.Context(), &gateway.APIKey{Name: "x", Scopes: []gateway.Scope{gateway.ScopeAll}, All: true}, key); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(s.Path() + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"EAA-token", "app-secret", "chqv_", signing.Reveal(), strings.TrimPrefix(signing.Reveal(), "whsec_"), key.Reveal()} {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s holds %q in the clear", file, secret)
			}
		}
	}
}

func TestTheKeyFileBelongsToTheDatabase(t *testing.T) {
	t.Parallel()
	onBoth(t, testTheKeyFileBelongsToTheDatabase)
}

func testTheKeyFileBelongsToTheDatabase(t *testing.T, _ string, s *store.Store) {
	v, keyFile := openVault(t, s)
	other := filepath.Join(t.TempDir(), "other.key")
	v2, err := store.OpenVault(t.Context(), s, other)
	if err != nil {
		t.Fatalf("while there is no secret any key will do: %v", err)
	}
	if err := v.CreateApplication(t.Context(), testApplication("1", "10")); err != nil {
		t.Fatal(err)
	}
	if err := v2.CreateApplication(t.Context(), testApplication("1", "11")); !errors.Is(err, seal.ErrKeyMismatch) {
		t.Errorf("a second key sealed something: %v", err)
	}
	if _, err := store.OpenVault(t.Context(), s, other); !errors.Is(err, seal.ErrKeyMismatch) {
		t.Errorf("foreign key: %v", err)
	}
	if _, err := store.OpenVault(t.Context(), s, keyFile); err != nil {
		t.Errorf("own key: %v", err)
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenVault(t.Context(), s, keyFile); !errors.Is(err, seal.ErrKeyMissing) {
		t.Errorf("lost key: %v", err)
	}
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	onBoth(t, testSubscriptions)
}

func testSubscriptions(t *testing.T, _ string, s *store.Store) {
	v, _ := openVault(t, s)
	ctx := t.Context()
	event := func() {
		if err := s.Write(ctx, func(tx *store.Tx) error { tx.AppendEvent(&gateway.Event{Type: gateway.EventUnknown}); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	event()
	sub := &gateway.Subscription{
		Name: "crm", Kind: gateway.KindPull, State: gateway.SubscriptionActive, Order: gateway.OrderNone, StartPos: -1,
		EventTypes: []gateway.EventType{gateway.EventPostback}, Applications: []string{"A"},
		Secrets: []gateway.SigningSecret{{ID: "s1", Value: gateway.NewSigningSecret(), CreatedAt: s.Now().UTC()}},
	}
	if err := v.CreateSubscription(ctx, sub); err != nil {
		t.Fatal(err)
	}
	if sub.StartPos != 1 {
		t.Errorf("starts at %d instead of now, 1", sub.StartPos)
	}
	event()
	for _, c := range []struct{ ack, want int64 }{{2, 2}, {1, 2}, {2, 2}} {
		if got, err := v.Acknowledge(ctx, sub.ID, c.ack); err != nil || got != c.want {
			t.Errorf("ack %d: %d, %v", c.ack, got, err)
		}
	}
	updated, err := v.UpdateSubscription(ctx, sub.ID, func(tx *store.Tx, s *gateway.Subscription) error {
		s.State, s.Disabled, s.DisabledAt = gateway.SubscriptionDisabled, &gateway.Failure{Code: "endpoint_gone"}, tx.Now().UTC()
		s.Secrets = append(s.Secrets, gateway.SigningSecret{ID: "s2", Value: gateway.NewSigningSecret(), CreatedAt: tx.Now().UTC()})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Subscription(ctx, sub.ID)
	if err != nil {
		t.Fatal(err)
	}
	updated.CreatedAt, updated.UpdatedAt = got.CreatedAt, got.UpdatedAt // stored in milliseconds
	if diff := cmp.Diff(updated, got, sameSecret, cmpopts.IgnoreUnexported(gateway.Subscription{})); diff != "" {
		t.Errorf("-updated +read:\n%s", diff)
	}
	if got.AckedPos != 2 || len(got.Secrets) != 2 {
		t.Errorf("acked %d, secrets %d", got.AckedPos, len(got.Secrets))
	}
	if err := v.DeleteSubscription(ctx, sub.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Acknowledge(ctx, sub.ID, 2); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("ack after delete: %v", err)
	}
}

func TestKeysFromAnotherProcess(t *testing.T) {
	t.Parallel()
	onBoth(t, testKeysFromAnotherProcess)
}

func testKeysFromAnotherProcess(t *testing.T, url string, s *store.Store) {
	other, err := store.Open(t.Context(), store.Options{URL: url, Shared: true, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	key := gateway.NewAPIKeySecret()
	k := &gateway.APIKey{Name: "till", Scopes: []gateway.Scope{gateway.ScopeMessagesWrite}, Applications: []string{"A"}}
	if err := other.CreateKey(t.Context(), k, key); err != nil {
		t.Fatal(err)
	}
	got, err := s.KeyByHash(t.Context(), gateway.HashAPIKey(key.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	got.CreatedAt = k.CreatedAt
	if diff := cmp.Diff(k, got); diff != "" {
		t.Errorf("-made +read:\n%s", diff)
	}
	if err := other.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	revoked, err := s.KeyByHash(t.Context(), gateway.HashAPIKey(key.Reveal()))
	if err != nil || revoked.RevokedAt.IsZero() {
		t.Errorf("revoked: %+v, %v", revoked, err)
	}
	if list, err := s.Keys(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("list: %v, %v", list, err)
	}
	for name, err := range map[string]error{
		"unknown hash": second(s.KeyByHash(t.Context(), gateway.HashAPIKey("chq_x"))), "unknown id": s.RevokeKey(t.Context(), "key_x"),
	} {
		if gateway.CodeOf(err) != gateway.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func profile(t *testing.T, object string) *gateway.Profile {
	t.Helper()
	p, err := gateway.ParseProfile(json.RawMessage(object))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	onBoth(t, testProfiles)
}

func testProfiles(t *testing.T, _ string, s *store.Store) {
	ctx := t.Context()
	write := func(fn func(tx *store.Tx) error) error { return s.Write(ctx, fn) }
	create := func(object string) error {
		return write(func(tx *store.Tx) error { return tx.CreateProfile(profile(t, object)) })
	}
	for _, object := range []string{
		`{"id":"ana","firstName":"Ana","email":"Ana@Example.com","fbMessengerIds":{"A":"1","B":"2"}}`, `{"id":"ben","firstName":"Ben","fbMessengerIds":{"A":"3"}}`,
	} {
		if err := create(object); err != nil {
			t.Fatal(err)
		}
	}
	for object, field := range map[string]string{`{"id":"ana"}`: "id", `{"id":"eve","fbMessengerIds":{"A":"3"}}`: "fbMessengerIds.A"} {
		var e *gateway.Error
		if err := create(object); !errors.As(err, &e) || e.Code != gateway.CodeConflict || e.Field != field {
			t.Errorf("create %s: %v", object, err)
		}
	}
	if id, err := s.ProfileOf(ctx, "A", "3"); err != nil || id != "ben" {
		t.Errorf("ProfileOf = %q, %v", id, err)
	}
	ana, err := s.Profile(ctx, "ana")
	if err != nil {
		t.Fatal(err)
	}
	stale := *ana
	changed, err := ana.Patch(json.RawMessage(`{"lastName":"Quispe","fbMessengerIds":{"B":null,"A":"4"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := write(func(tx *store.Tx) error { return tx.UpdateProfile(changed) }); err != nil {
		t.Fatal(err)
	}
	if err := write(func(tx *store.Tx) error { return tx.UpdateProfile(&stale) }); gateway.CodeOf(err) != gateway.CodePreconditionFailed {
		t.Errorf("a change of a stale copy: %v", err)
	}
	got, err := s.Profile(ctx, "ana")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"A": "4"}, got.Addresses); diff != "" || got.Version != 2 {
		t.Errorf("version %d, addresses:\n%s", got.Version, diff)
	}
	for name, c := range map[string]struct {
		f    store.ProfileFilter
		want []string
	}{
		"all":                {store.ProfileFilter{}, []string{"ana", "ben"}},
		"page":               {store.ProfileFilter{After: "ana"}, []string{"ben"}},
		"email without case": {store.ProfileFilter{Fields: map[string]string{"email": "ana@example.COM"}}, []string{"ana"}},
		"two fields":         {store.ProfileFilter{Fields: map[string]string{"firstName": "ana", "lastName": "quispe"}}, []string{"ana"}},
		"fields of two":      {store.ProfileFilter{Fields: map[string]string{"firstName": "ben", "lastName": "quispe"}}, nil},
		"prefix":             {store.ProfileFilter{IDPrefix: "be"}, []string{"ben"}},
		"person":             {store.ProfileFilter{Person: "4"}, []string{"ana"}},
		"person elsewhere":   {store.ProfileFilter{Person: "4", Applications: []string{"B"}}, nil},
		"former address":     {store.ProfileFilter{Person: "1"}, nil},
		"applications":       {store.ProfileFilter{Applications: []string{"A", "B"}}, []string{"ana", "ben"}},
	} {
		c.f.Limit = 10
		list, err := s.ListProfiles(ctx, c.f)
		var ids []string
		for _, p := range list {
			ids = append(ids, p.ID)
		}
		if diff := cmp.Diff(c.want, ids); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if err := write(func(tx *store.Tx) error { return tx.DeleteProfile("ana", 1) }); gateway.CodeOf(err) != gateway.CodePreconditionFailed {
		t.Errorf("delete of a stale copy: %v", err)
	}
	if err := write(func(tx *store.Tx) error { return tx.DeleteProfile("ana", 2) }); err != nil {
		t.Errorf("delete: %v", err)
	}
	if err := write(func(tx *store.Tx) error { return tx.DeleteProfile("ana", 0) }); gateway.CodeOf(err) != gateway.CodeNotFound {
		t.Errorf("delete again: %v", err)
	}
	if id, err := s.ProfileOf(ctx, "A", "4"); err != nil || id != "" {
		t.Errorf("the address of a deleted profile: %q, %v", id, err)
	}
	events, err := s.ListEvents(ctx, store.EventFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.Type)+" "+e.Application+"/"+e.Person)
	}
	if diff := cmp.Diff([]string{"profile.created A/1", "profile.created A/3", "profile.updated A/4"}, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
