package deps

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chasqui/chasqui"

// allowed names, for each package, the packages of the project that it may import. A package that
// is not named here fails the test: whoever adds one decides where it stands. A name that ends in
// /* is of every package right below that is not named itself.
var allowed = map[string][]string{
	"messenger":                    nil,
	"graphemu":                     {"messenger", "internal/qr"},
	"internal/qr":                  nil,
	"messengertest":                {"graphemu", "messenger"},
	"gatewayapi":                   {"messenger"},
	"rivescript":                   nil,
	"rivescript/js":                {"rivescript", "internal/fair"},
	"internal/fair":                nil,
	"internal/lane":                nil,
	"internal/scriptgen":           nil,
	"internal/script":              {"rivescript"},
	"internal/deps":                nil,
	"internal/config":              {"internal/guard", "internal/reach"},
	"internal/reach":               nil,
	"internal/guard":               {"internal/gateway"},
	"internal/seal":                nil,
	"internal/gateway":             {"gatewayapi", "messenger"},
	"internal/store":               {"gatewayapi", "internal/gateway", "internal/seal"},
	"internal/store/storetest":     {"internal/gateway", "internal/store"},
	"internal/service/servicetest": {"internal/gateway", "internal/service", "internal/store"},
	"internal/service":             {"gatewayapi", "internal/fair", "internal/store", "internal/gateway", "internal/qr", "internal/reach", "internal/script", "messenger", "rivescript"},
	"internal/entrypoint":          {"gatewayapi", "internal/guard", "internal/qr", "internal/service", "internal/store", "internal/gateway", "messenger"},
	"internal/console":             {"internal/guard", "internal/qr", "internal/service", "internal/gateway"},
	"internal/bot":                 {"internal/lane", "internal/reach", "internal/service", "internal/store", "internal/gateway", "internal/script", "messenger", "rivescript"},
	"internal/ingest":              {"internal/guard", "internal/service", "internal/store", "internal/gateway", "messenger"},
	"internal/project":             {"internal/service", "internal/store", "internal/gateway", "messenger"},
	"internal/outcome":             {"gatewayapi", "internal/gateway", "messenger"},
	"internal/deliver":             {"gatewayapi", "internal/lane", "internal/outcome", "internal/service", "internal/store", "internal/gateway", "messenger"},
	"internal/forward":             {"internal/lane", "internal/reach", "internal/service", "internal/store", "internal/gateway", "internal/webhook"},
	"internal/webhook":             {"internal/gateway"},
	"internal/face":                {"internal/guard", "internal/gateway"},
	"internal/dialect":             {"internal/service", "internal/store", "internal/gateway"},
	"internal/channel":             {"internal/guard", "internal/reach", "internal/store", "internal/gateway"},
	// Each provider of a channel knows the socket, and no other provider; the table alone names
	// them.
	"internal/channel/*":           {"gatewayapi", "internal/channel", "internal/store", "internal/gateway"},
	"internal/channel/providers":   {"internal/channel", "internal/channel/*"},
	"internal/channel/channeltest": {"internal/channel", "internal/gateway", "internal/reach", "internal/store"},
	"internal/upkeep":              {"internal/store"},
	"internal/transfer":            {"internal/store", "internal/gateway"},
	"internal/apisrv":              {"internal/face", "internal/service", "internal/gateway", "internal/script", "internal/qr", "gatewayapi", "messenger", "rivescript"},
	"internal/infobip":             {"internal/reach", "internal/face", "internal/dialect", "internal/infobip/records", "internal/infobip/wire", "internal/service", "internal/gateway", "messenger"},
	"internal/infobip/records":     {"internal/infobip/wire", "internal/service", "internal/store", "internal/gateway"},
	"internal/infobip/wire":        {"internal/webhook", "internal/gateway"},
	"internal/comapi":              {"internal/face", "internal/dialect", "internal/comapi/sessions", "internal/service", "internal/gateway", "messenger"},
	"internal/comapi/sessions":     {"internal/service", "internal/store", "internal/gateway"},
	"internal/app": {"internal/apisrv", "internal/bot", "internal/channel", "internal/channel/providers", "internal/comapi", "internal/config", "internal/console", "internal/deliver", "internal/dialect", "internal/entrypoint", "internal/forward", "internal/infobip", "internal/ingest", "internal/project", "internal/upkeep",
		"internal/guard", "internal/reach", "internal/service", "internal/store", "internal/gateway", "rivescript/js"},
	"internal/bench":         {"gatewayapi", "messenger"},
	"bench/peers/messenger":  {"messenger"},
	"bench/peers/rivescript": {"internal/scriptgen", "rivescript"},
	"internal/e2e":           {"*"}, // tests of the whole
	"cmd/chasqui":            {"*"},
}

// standardLibraryOnly are the packages that bring nothing else into a user's build.
var standardLibraryOnly = []string{"messenger", "graphemu", "messengertest", "gatewayapi", "internal/gateway"}

// onlyInTests are packages that no program may contain.
var onlyInTests = []string{"testing", module + "/internal/store/storetest", module + "/internal/service/servicetest", module + "/internal/channel/channeltest", module + "/messengertest"}

// faces are the APIs and the console. They ask use cases, which take the caller's key, and never
// the store past them.
var faces = []string{"internal/apisrv", "internal/comapi", "internal/console", "internal/infobip"}

// No face may import the store.
func TestFacesAskUseCases(t *testing.T) {
	t.Parallel()
	for _, face := range faces {
		if may, listed := allowed[face]; !listed || slices.Contains(may, "internal/store") {
			t.Errorf("%s is listed: %t, and may import %v", face, listed, may)
		}
	}
}

// TestArrows reads the sources itself: what a subprocess reads would not count for the test cache.
func TestArrows(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && file != root && name != ".." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		seen[pkg] = true
		check(t, pkg, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range allowed {
		if !seen[pkg] && pkg != "internal/e2e" && path.Base(pkg) != "*" {
			t.Errorf("package %s is listed here and does not exist", pkg)
		}
	}
}

func check(t *testing.T, pkg, file string) {
	t.Helper()
	may, listed := allowed[pkg]
	if !listed {
		may, listed = allowed[path.Dir(pkg)+"/*"]
	}
	if !listed && !strings.HasPrefix(pkg, "examples/") {
		t.Errorf("package %s is not in the list of arrows", pkg)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	isTestHelper := path.Base(pkg) == "storetest" || path.Base(pkg) == "servicetest" || path.Base(pkg) == "channeltest" || pkg == "messengertest" || pkg == "internal/e2e"
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(onlyInTests, imported) && !isTestHelper {
			t.Errorf("%s imports %s, which belongs in tests only", file, imported)
		}
		inside, ours := strings.CutPrefix(imported, module+"/")
		switch {
		case ours && !slices.Contains(may, inside) && !slices.Contains(may, path.Dir(inside)+"/*") && !slices.Contains(may, "*") && !strings.HasPrefix(pkg, "examples/"):
			t.Errorf("%s imports %s: %s may import %v", file, inside, pkg, may)
		case !ours && strings.Contains(strings.Split(imported, "/")[0], ".") && slices.Contains(standardLibraryOnly, pkg):
			t.Errorf("%s imports %s: %s keeps to the standard library", file, imported, pkg)
		}
	}
}

// Every package of the list stands in the table of docs/architecture.md.
func TestPackagesAreOnTheMap(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range allowed {
		short := strings.TrimPrefix(pkg, "internal/")
		if base := path.Base(pkg); base == "storetest" || base == "servicetest" {
			short = base
		}
		if strings.HasPrefix(pkg, "bench/") {
			short = "bench/peers"
		}
		if !strings.Contains(string(text), "`"+pkg+"`") && !strings.Contains(string(text), "`"+short+"`") {
			t.Errorf("package %s is not on the map of docs/architecture.md", pkg)
		}
	}
}
