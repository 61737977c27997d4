package apisrv_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chasqui/chasqui/gatewayapi"
	"github.com/chasqui/chasqui/graphemu"
	"github.com/chasqui/chasqui/internal/gateway"
	"github.com/chasqui/chasqui/messenger"
)

// foundBy are ways to break an application at the platform, by the finding that must say so.
var foundBy = map[gateway.FindingCode]func(*bundle, graphemu.Page){
	gateway.FindingTokenInvalid:     func(b *bundle, p graphemu.Page) { b.platform.SetPageToken(p.ID, "EAAanother") },
	gateway.FindingTokenOfOtherApp:  func(b *bundle, p graphemu.Page) { b.says(p, graphemu.TokenSettings{AppID: "777"}) },
	gateway.FindingTokenNotOfPage:   func(b *bundle, p graphemu.Page) { b.says(p, graphemu.TokenSettings{Type: "USER"}) },
	gateway.FindingTokenOfOtherPage: func(b *bundle, p graphemu.Page) { b.says(p, graphemu.TokenSettings{PageID: "777"}) },
	gateway.FindingTokenExpires: func(b *bundle, p graphemu.Page) {
		b.says(p, graphemu.TokenSettings{ExpiresAt: time.Now().Add(time.Hour).Unix()})
	},
	gateway.FindingDataAccessExpires: func(b *bundle, p graphemu.Page) {
		b.says(p, graphemu.TokenSettings{DataAccessExpiresAt: time.Now().Add(24 * time.Hour).Unix()})
	},
	gateway.FindingPermissionMissing: func(b *bundle, p graphemu.Page) {
		b.says(p, graphemu.TokenSettings{Scopes: []string{"pages_show_list", "pages_messaging", "pages_read_engagement"}})
	},
	gateway.FindingPermissionWanted: func(b *bundle, p graphemu.Page) {
		b.says(p, graphemu.TokenSettings{Scopes: []string{"pages_show_list", "pages_messaging", "pages_manage_metadata"}})
	},
	gateway.FindingSecretInvalid: func(b *bundle, _ graphemu.Page) {
		b.platform.AddApp(graphemu.App{ID: b.app.ID, Name: b.app.Name, Secret: strings.Repeat("f0", 16), RequireProof: true})
	},
	gateway.FindingPageUnpublished: func(b *bundle, p graphemu.Page) { b.platform.SetPublished(p.ID, false) },
	gateway.FindingPageFieldsMissing: func(b *bundle, p graphemu.Page) {
		b.must(b.speaks(p.AccessToken).SubscribePage(b.t.Context(), "messages"))
	},
	gateway.FindingCallbackMissing: func(b *bundle, _ graphemu.Page) {
		b.must(b.speaks(messenger.AppToken(b.app.ID, b.app.Secret)).UnsubscribeApp(b.t.Context(), b.app.ID, "page"))
	},
	gateway.FindingCallbackElsewhere: func(b *bundle, _ graphemu.Page) { b.points(b.elsewhere(), gateway.SubscribedFields()) },
	gateway.FindingCallbackInactive:  func(b *bundle, _ graphemu.Page) { b.platform.SetCallbackActive(b.app.ID, false) },
	gateway.FindingAppFieldsMissing:  func(b *bundle, _ graphemu.Page) { b.points(b.elsewhere(), []string{"messages"}) },
	gateway.FindingCallbackNotHTTPS:  func(*bundle, graphemu.Page) {}, // as it is in tests
	gateway.FindingGetStartedMissing: func(*bundle, graphemu.Page) {}, // so is a page that nobody set up further
	gateway.FindingNothingHeard:      func(*bundle, graphemu.Page) {},
	gateway.FindingRefusedByPlatform: func(b *bundle, _ graphemu.Page) {
		b.platform.SetFaults([]graphemu.Fault{{Endpoint: "messenger_profile", Status: 400, Code: 100, Message: "(#100) Not now"}})
	},
}

func (b *bundle) says(p graphemu.Page, s graphemu.TokenSettings) {
	b.platform.SetTokenSettings(p.ID, s)
}

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) speaks(token string) *messenger.Client {
	b.t.Helper()
	c, err := messenger.New(token, messenger.WithBaseURL(b.graphURL), messenger.WithAppSecret(b.app.Secret))
	b.must(err)
	return c
}

// elsewhere is another program's callback.
func (b *bundle) elsewhere() string {
	b.t.Helper()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Query().Get("hub.challenge")) }))
	b.t.Cleanup(other.Close)
	return other.URL
}

func (b *bundle) points(callback string, fields []string) {
	b.t.Helper()
	b.must(b.speaks(messenger.AppToken(b.app.ID, b.app.Secret)).SubscribeApp(b.t.Context(), messenger.AppSubscriptionRequest{
		AppID: b.app.ID, Object: "page", CallbackURL: callback, VerifyToken: "v", Fields: fields,
	}))
}

// The check names everything that can be wrong, with a code, what to do, and where the
// documentation says how.
func TestCheckExplains(t *testing.T) {
	t.Parallel()
	for _, info := range gateway.FindingTable() {
		t.Run(string(info.Code), func(t *testing.T) {
			t.Parallel()
			breakIt := foundBy[info.Code]
			if breakIt == nil {
				t.Fatal("nothing shows this finding")
			}
			b := setup(t)
			page := b.platform.AddPage(graphemu.Page{ID: "1000"})
			a := b.connect(page)
			if before, err := b.client.CheckApplication(t.Context(), a.Key); err != nil || !before.OK {
				t.Fatalf("before: %+v, %v", before, err)
			}
			breakIt(b, page)
			check, err := b.client.CheckApplication(t.Context(), a.Key)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(check.Findings, func(f gatewayapi.Finding) bool { return f.Code == info.Code })
			if i < 0 {
				t.Fatalf("not found: %+v", check.Findings)
			}
			f := check.Findings[i]
			if f.Message == "" || f.Remedy == "" || !strings.HasPrefix(f.Doc, "docs/facebook-setup.md#") {
				t.Errorf("it is not explained: %+v", f)
			}
			if info.Warning && (f.Severity != "warning" || slices.Contains(check.Problems, f.Message) || !check.OK) {
				t.Errorf("a warning is a problem: %+v", check)
			}
			if !info.Warning && (f.Severity != "error" || !slices.Contains(check.Problems, f.Message) || check.OK) {
				t.Errorf("a problem is none: %+v", check)
			}
		})
	}
}

// The documentation has every section that findings name, and lists every code.
func TestSetupPageHasEveryFinding(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/facebook-setup.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(page), -1) {
		slug := regexp.MustCompile(`[^\p{L}\p{N}_ -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		sections[strings.ReplaceAll(slug, " ", "-")] = true
	}
	for _, info := range gateway.FindingTable() {
		if !sections[info.Section] {
			t.Errorf("docs/facebook-setup.md has no section #%s", info.Section)
		}
		if !strings.Contains(string(page), "`"+string(info.Code)+"`") {
			t.Errorf("docs/facebook-setup.md does not name %s", info.Code)
		}
	}
	for _, p := range gateway.Permissions() {
		if !strings.Contains(string(page), "`"+p.Name+"`") {
			t.Errorf("docs/facebook-setup.md does not name %s", p.Name)
		}
	}
	for _, f := range gateway.SubscribedFields() {
		if !strings.Contains(string(page), "`"+f+"`") {
			t.Errorf("docs/facebook-setup.md does not name the field %s", f)
		}
	}
}
