package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres returns the URL of an empty PostgreSQL database that is dropped after the test. The
// server is that of CHASQUI_TEST_POSTGRES (a URL of a role that may create databases), or else a
// temporary cluster, if PostgreSQL's own programs are installed. Without either the test is
// skipped, or fails when CHASQUI_REQUIRE_POSTGRES is 1.
func Postgres(t testing.TB) string {
	t.Helper()
	server, err := server()
	if errors.Is(err, errNoPrograms) && os.Getenv("CHASQUI_REQUIRE_POSTGRES") != "1" {
		t.Skip("PostgreSQL is not installed and CHASQUI_TEST_POSTGRES is not set")
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name := "chasqui_" + strings.ToLower(rand.Text()[:12])
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop database: %v", err)
		}
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

var errNoPrograms = errors.New("PostgreSQL's programs are not installed")

// shared is the temporary server of this test binary, started for the first test that needs it and
// stopped by Stop.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

func server() (string, error) {
	if given := os.Getenv("CHASQUI_TEST_POSTGRES"); given != "" {
		return given, nil
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = newCluster()
	}
	if shared.err != nil {
		return "", shared.err
	}
	return shared.cluster.URL, nil
}

// Main runs the tests of a package that uses Postgres, and stops what it started. It is called from
// TestMain.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	os.Exit(code)
}

// Stop stops the temporary server of this test binary, if there is one.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster != nil {
		shared.cluster.remove()
	}
}

// Cluster is a temporary PostgreSQL server.
type Cluster struct {
	URL string // of its database "postgres"

	folder  string
	port    int
	process *exec.Cmd
	ended   <-chan struct{} // closed when process has ended
}

// NewCluster starts a server for one test, which may kill it. It skips or fails as Postgres does
// when PostgreSQL is not installed.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	c, err := newCluster()
	if errors.Is(err, errNoPrograms) && os.Getenv("CHASQUI_REQUIRE_POSTGRES") != "1" {
		t.Skip("PostgreSQL is not installed")
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(c.remove)
	return c
}

func newCluster() (*Cluster, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "chasqui-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{folder: folder}
	if err := c.setUp(initdb); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) setUp(initdb string) error {
	if err := unprivileged(c.folder); err != nil {
		return err
	}
	setup := exec.Command(initdb, "-D", filepath.Join(c.folder, "data"), "-U", "chasqui", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	setup.Dir, setup.SysProcAttr = c.folder, credential()
	if out, err := setup.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	var err error
	if c.port, err = freePort(); err != nil {
		return err
	}
	c.URL = fmt.Sprintf("postgres://chasqui@127.0.0.1:%d/postgres?sslmode=disable", c.port)
	return c.Start()
}

// Start starts the server, again after Kill, and waits until it returns. What is left of a killed
// one may need a moment to end; until then a new one refuses.
func (c *Cluster) Start() (err error) {
	for range 50 {
		if err = c.start(); err == nil || !strings.Contains(err.Error(), "still in use") {
			return err
		}
		c.Kill()
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

func (c *Cluster) start() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	run := exec.Command(postgres, "-D", filepath.Join(c.folder, "data"), "-p", strconv.Itoa(c.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=400")
	run.Dir, run.SysProcAttr, run.Stdout, run.Stderr = c.folder, credential(), log, log
	if err := run.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	c.process = run
	ended := make(chan struct{})
	c.ended = ended
	go func() {
		run.Wait()
		close(ended)
	}()
	return await(c.URL, log.Name(), ended)
}

// Kill ends the server at once, with kill -9. Its children notice and end too.
func (c *Cluster) Kill() {
	if c.process != nil {
		c.process.Process.Kill()
		<-c.ended
		c.process = nil
	}
}

func (c *Cluster) remove() {
	c.Kill()
	os.RemoveAll(c.folder)
}

// await waits until the server answers, or has ended.
func await(address, log string, ended <-chan struct{}) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		if err = db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
			continue
		case <-ended:
		case <-ctx.Done():
		}
		said, _ := os.ReadFile(log)
		return fmt.Errorf("postgres does not answer: %w: %s", err, said)
	}
}

// program finds one of PostgreSQL's programs, which Debian keeps out of the path.
func program(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", errNoPrograms
	}
	return found[len(found)-1], nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
