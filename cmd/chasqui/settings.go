package main

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/chasqui/chasqui/internal/config"
)

// configFile is embedded by the subcommands whose flags are settings: it overlays what the command
// line leaves out with the environment and the configuration file.
type configFile struct {
	ConfigFile string `name:"config" placeholder:"FILE" help:"Configuration file (JSON); also CHASQUI_CONFIG."`
}

// BeforeResolve is called by the parser once the command line is read, and before defaults stand.
func (configFile) BeforeResolve(k *kong.Context, c console) error {
	path := ""
	for _, entry := range c.env {
		if value, ok := strings.CutPrefix(entry, config.FileEnv+"="); ok {
			path = value
		}
	}
	for _, flag := range k.Flags() {
		if flag.Name == "config" {
			if given, ok := k.FlagValue(flag).(string); ok && given != "" {
				path = given
			}
		}
	}
	source, err := config.Read(path, c.env)
	if err != nil {
		return err
	}
	k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if text, ok := source.Lookup(flag.Name); ok {
			return text, nil
		}
		return nil, nil
	}))
	return nil
}

// addressesMapper reads a list of addresses, which stood for true alone before it was a list:
// without a value it is that.
type addressesMapper struct{}

// Decode reads the value.
func (addressesMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	target.SetString("true")
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		target.SetString(fmt.Sprint(ctx.Scan.Pop().Value))
	}
	return nil
}

// IsBool tells that the flag needs no value.
func (addressesMapper) IsBool() bool { return true }
