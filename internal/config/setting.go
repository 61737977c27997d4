package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting and, when it was made from a Config, points at its value.
type Setting struct {
	// Name is the name in the configuration file, with a dot for each level:
	// `limits.textPerSecond`.
	Name string
	// Env is the environment variable: `CHASQUI_LIMITS_TEXT_PER_SECOND`.
	Env string
	// Flag is the flag of the command line without its dashes: `limits-text-per-second`.
	Flag string
	// Default is the default as it would be written on the command line.
	Default string
	// Enum lists the values allowed, with commas; empty when any is.
	Enum string
	// Help says what the setting means.
	Help string
	// Reload says whether SIGHUP applies a new value to a running gateway.
	Reload bool
	// Secret tells that the value must not be printed.
	Secret bool

	value reflect.Value
}

// Settings lists every setting in the order of Config.
func Settings() []Setting { return settingsOf(new(Config)) }

func settingsOf(c *Config) []Setting { return collect(nil, reflect.ValueOf(c).Elem(), "", "") }

func collect(list []Setting, v reflect.Value, flagPrefix, namePrefix string) []Setting {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if _, nested := field.Tag.Lookup("embed"); nested {
			prefix := field.Tag.Get("prefix")
			name := namePrefix
			if prefix != "" {
				name += camel(strings.TrimSuffix(prefix, "-")) + "."
			}
			list = collect(list, v.Field(i), flagPrefix+prefix, name)
			continue
		}
		name := field.Tag.Get("name")
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		flag := flagPrefix + name
		s := Setting{
			Name: namePrefix + camel(name), Flag: flag, Env: "CHASQUI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")),
			Default: field.Tag.Get("default"), Enum: field.Tag.Get("enum"), Help: field.Tag.Get("help"),
			Reload: field.Tag.Get("reload") != "", Secret: field.Tag.Get("secret") != "", value: v.Field(i),
		}
		if s.Default == "" && s.value.Kind() == reflect.Bool {
			s.Default = "false"
		}
		list = append(list, s)
	}
	return list
}

// camel turns text-per-second into textPerSecond.
func camel(dashed string) string {
	words := strings.Split(dashed, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// parse turns the text of a setting into a value of its type.
func (s Setting) parse(text string) (any, error) {
	switch s.value.Interface().(type) {
	case string:
		return text, nil
	case Addresses:
		return Addresses(text), nil
	case bool:
		b, err := strconv.ParseBool(text)
		return b, orNot(err, "true or false")
	case int:
		n, err := strconv.Atoi(text)
		return n, orNot(err, "a whole number")
	case int64:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, orNot(err, "a whole number")
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		return f, orNot(err, "a number")
	case time.Duration:
		d, err := time.ParseDuration(text)
		return d, orNot(err, "a duration such as 5s or 10m")
	}
	return nil, fmt.Errorf("type %s is not supported", s.value.Type())
}

func orNot(err error, want string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("is not %s", want)
}

func (s Setting) set(text string) error {
	v, err := s.parse(text)
	if err != nil {
		return err
	}
	s.value.Set(reflect.ValueOf(v))
	return nil
}

func (s Setting) text() string { return fmt.Sprint(s.value.Interface()) }

func (s Setting) allows(text string) bool {
	for v := range strings.SplitSeq(s.Enum, ",") {
		if v == text {
			return true
		}
	}
	return false
}

// number returns the setting's value when it is one.
func (s Setting) number() (float64, bool) {
	switch v := s.value.Interface().(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case time.Duration:
		return v.Seconds(), true
	}
	return 0, false
}

// zeroAllowed reports whether 0 has a meaning: for ever for ages, and no reserve for the disk.
func (s Setting) zeroAllowed() bool {
	return strings.HasPrefix(s.Name, "retention.") || s.Name == "lowDisk" || s.Name == "maxConnections"
}
