// Package config is the gateway's configuration: one struct whose tags give every setting's name,
// default and meaning. A value comes from the command line, else from the environment, else from
// the configuration file, else it is the default.
//
// The package reads the file and the environment it is handed; the command line is read by
// cmd/chasqui, whose flags are made from the same tags.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chasqui/chasqui/internal/guard"
	"github.com/chasqui/chasqui/internal/reach"
)

// Config holds every setting of the gateway. The tags are those of the command line's parser:
// `help` is the meaning, `default` the default, `enum` the values allowed; `reload:"yes"` marks
// what SIGHUP applies to a running gateway, `secret:"yes"` what must not be printed.
type Config struct {
	Storage `embed:""`

	Addr      string `default:":8080" placeholder:"HOST:PORT" help:"Address the gateway listens on."`
	PublicURL string `name:"public-url" placeholder:"URL" help:"Address under which the platform reaches this gateway, without a slash at the end; applications cannot be connected without it."`
	TLSCert   string `name:"tls-cert" placeholder:"FILE" reload:"yes" help:"Certificate chain in PEM; with it the gateway speaks TLS itself. The file is read again on SIGHUP."`
	TLSKey    string `name:"tls-key" placeholder:"FILE" reload:"yes" help:"Private key in PEM that belongs to tlsCert. The file is read again on SIGHUP."`

	GraphURL     string `name:"graph-url" default:"https://graph.facebook.com" placeholder:"URL" help:"Address of the Graph API; the emulator's address when testing."`
	GraphVersion string `name:"graph-version" default:"v26.0" help:"Version of the Graph API for applications that do not name their own."`

	Policy           string `default:"strict" enum:"strict,observe" help:"strict: what the platform's rules do not allow is refused before it is sent; observe: it is sent all the same, and logged."`
	CustomerMatching bool   `name:"customer-matching" help:"Send to a phone number alone over Messenger, where the version of the Graph API still takes that."`

	LinkURL string `name:"link-url" default:"https://m.me" placeholder:"URL" help:"Where links open a page's thread; the emulator's address followed by /m.me when testing."`

	LogLevel  string `name:"log-level" default:"info" enum:"debug,info,warn,error" reload:"yes" help:"Least level that is logged: debug, info, warn or error. Message texts and person ids appear at debug only."`
	LogFormat string `name:"log-format" default:"text" enum:"text,json" help:"Form of the log on stderr: text or json."`

	Metrics     bool   `default:"true" negatable:"" help:"Serve Prometheus metrics under /metrics of metricsAddr."`
	MetricsAddr string `name:"metrics-addr" default:"127.0.0.1:9464" placeholder:"HOST:PORT" help:"Address on which metrics are served, without a key: one that only your own systems reach. They are not on the gateway's own address. off: nowhere."`

	TrustedProxies string `name:"trusted-proxies" placeholder:"NETWORKS" help:"Networks and addresses of proxies before the gateway, with commas between, whose X-Forwarded-For says where a request came from; empty: none."`
	MaxConnections int    `name:"max-connections" default:"0" help:"Connections that are open at once; with one more, one that does nothing is closed. 0: as many as half of the files suffice for that the process may open, at most 10000."`
	MaxBodies      int64  `name:"max-bodies" default:"268435456" help:"Bytes of bodies that are held at once, half of them for callers who have not shown who they are; requests beyond are answered 503."`

	MaxBody         int64         `name:"max-body" default:"10485760" help:"Largest body of a request in bytes; a larger one is answered 413."`
	LowDisk         int64         `name:"low-disk" default:"268435456" help:"Bytes that stay free on the disk of the data folder; below that nothing is accepted and the answer is 503."`
	ShutdownTimeout time.Duration `name:"shutdown-timeout" default:"20s" help:"Longest time that a stop waits for sends in flight."`

	Limits    Limits    `embed:"" prefix:"limits-"`
	Uncertain Uncertain `embed:"" prefix:"uncertain-"`
	Forward   Forward   `embed:"" prefix:"forward-"`
	Scripts   Scripts   `embed:"" prefix:"scripts-"`
	Sessions  Sessions  `embed:"" prefix:"sessions-"`
	Retention Retention `embed:"" prefix:"retention-"`
}

// Storage holds the settings that say where the data lies; every subcommand that works on the
// database takes them.
type Storage struct {
	Data          string `default:"chasqui-data" placeholder:"DIR" help:"Folder for the database, unless store names another, and for the key file, unless keyFile does."`
	Store         string `placeholder:"URL" secret:"yes" help:"Database: postgres://… for PostgreSQL; empty for SQLite in the data folder."`
	KeyFileShared bool   `name:"key-file-shared" help:"Take a key file that others than its owner may read, as an orchestrator mounts it. Otherwise such a file is refused."`

	KeyFile string `name:"key-file" placeholder:"FILE" help:"File with the key that seals secrets; made by the first start. Empty: chasqui.key in the data folder."`
}

// Limits are the rates at which one page may send; the platform publishes its own at
// https://developers.facebook.com/docs/messenger-platform/overview/rate-limiting.
type Limits struct {
	TextPerSecond  float64 `name:"text-per-second" default:"300" reload:"yes" help:"Messages a second that one page may send."`
	MediaPerSecond float64 `name:"media-per-second" default:"10" reload:"yes" help:"Messages with audio or video a second that one page may send."`
}

// Uncertain says what becomes of a message whose answer from the platform was lost.
type Uncertain struct {
	Wait   time.Duration `default:"5s" help:"How long a conversation waits for proof that such a message was sent before it goes on."`
	GiveUp time.Duration `name:"give-up" default:"10m" help:"After this the message is failed with unknown_outcome."`
	Resend string        `default:"never" enum:"never,once" help:"never, or once: send it a second time when no proof has come within uncertain.wait. Somebody may then get it twice."`
}

// Forward holds the settings of forward subscriptions.
type Forward struct {
	AllowPrivate Addresses `name:"allow-private" placeholder:"NETWORKS" help:"Networks, addresses and hosts outside the public internet that subscriptions, channels and webhooks may lead to, with commas between, such as 10.1.0.0/16,mail.internal; true: this machine and all private networks. Addresses of one link and those of clouds' metadata are never reached, and pictures for codes never come from here. On the command line with an equals sign."`
}

// Addresses is a list as reach.Parse reads it.
type Addresses string

// Scripts holds the settings of bots.
type Scripts struct {
	JavaScript string `name:"javascript" default:"auto" enum:"auto,on,off" help:"Whether macros in JavaScript are run: on, off, or auto, which is on where the memory of the processes that run them can be limited (Linux)."`
	AllowHosts string `name:"allow-hosts" placeholder:"HOSTS" help:"Hosts that scripts may ask with $ lines, with commas between; *.example.com stands for all below it. Empty: none. One given with its port may be in a private network."`
}

// Sessions holds the settings of customers' own sessions, by which they get at their own profile.
type Sessions struct {
	Secret   string `placeholder:"TEXT" secret:"yes" help:"Secret with which your server signs the tokens (JWT, HS256) that say who a customer is, at least 32 bytes; empty turns sessions off."`
	Issuer   string `placeholder:"TEXT" help:"Issuer that those tokens must have; empty: any."`
	Audience string `placeholder:"TEXT" help:"Audience that those tokens must have; empty: any."`
	Fields   string `placeholder:"NAMES" help:"Fields of their own profile that customers may change, with commas between, such as firstName,lastName; empty: none. Ids on channels and what they agreed to are never theirs to change."`
	IDClaim  string `name:"id-claim" default:"sub" help:"Claim of those tokens that holds the profile's id."`
}

// Retention holds the ages, in days counted from receipt, after which data is removed; 0 keeps it
// for ever.
type Retention struct {
	Events     int `default:"30" help:"Days that events are kept; 0 for ever."`
	Messages   int `default:"30" help:"Days that finished messages are kept; 0 for ever."`
	Deliveries int `default:"30" help:"Days that finished deliveries are kept; 0 for ever."`
}

// Default is the configuration in which every setting has its default.
func Default() Config {
	var c Config
	for _, s := range settingsOf(&c) {
		if err := s.set(s.Default); err != nil {
			panic("config: the default of " + s.Name + " does not parse: " + err.Error()) // the tags are wrong, which a test would have shown
		}
	}
	return c
}

// KeyPath is the key file that applies.
func (s Storage) KeyPath() string {
	if s.KeyFile != "" {
		return s.KeyFile
	}
	return filepath.Join(s.Data, "chasqui.key")
}

// Database is where the database is: the store's URL, or the path of the SQLite file in the data
// folder.
func (s Storage) Database() string {
	if s.Store != "" {
		return s.Store
	}
	return filepath.Join(s.Data, "chasqui.db")
}

var graphVersion = regexp.MustCompile(`^v\d+\.\d+$`)

// Validate says what is wrong with the configuration, setting by setting, or nil.
func (c Config) Validate() error {
	var errs []error
	wrong := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("setting %s: %s", name, fmt.Sprintf(format, args...)))
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		wrong("addr", "%q is not HOST:PORT", c.Addr)
	}
	if n := len(c.Sessions.Secret); n > 0 && n < 32 {
		wrong("sessions.secret", "must have at least 32 bytes")
	}
	if c.PublicURL != "" && !webAddress(c.PublicURL) {
		wrong("publicUrl", "must be an http or https address without query")
	}
	if !webAddress(c.GraphURL) {
		wrong("graphUrl", "must be an http or https address without query")
	}
	if !graphVersion.MatchString(c.GraphVersion) {
		wrong("graphVersion", "%q is not like v26.0", c.GraphVersion)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		wrong("tlsCert", "tlsCert and tlsKey go together")
	}
	if s := c.Store; s != "" && !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		wrong("store", "must be empty or begin with postgres://")
	}
	if c.Data == "" && (c.Store == "" || c.KeyFile == "") {
		wrong("data", "must name a folder")
	}
	if _, _, err := net.SplitHostPort(c.MetricsAddr); err != nil && c.MetricsAddr != "off" {
		wrong("metricsAddr", "%q is neither HOST:PORT nor off", c.MetricsAddr)
	}
	if _, err := guard.ParseProxies(c.TrustedProxies); err != nil {
		wrong("trustedProxies", "%s", err)
	}
	if c.MaxBodies < 2*c.MaxBody {
		wrong("maxBodies", "must be at least twice maxBody")
	}
	if _, err := reach.Parse(string(c.Forward.AllowPrivate)); err != nil {
		wrong("forward.allowPrivate", "%s", err)
	}
	for _, s := range settingsOf(&c) {
		if s.Enum != "" && !s.allows(s.text()) {
			wrong(s.Name, "%q is not one of %s", s.text(), s.Enum)
		}
		if n, ok := s.number(); ok && n < 0 {
			wrong(s.Name, "must not be negative")
		} else if ok && n == 0 && !s.zeroAllowed() {
			wrong(s.Name, "must be more than 0")
		}
	}
	return errors.Join(errs...)
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}
