package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// FileEnv is the environment variable that names the configuration file; the flag --config wins
// over it.
const FileEnv = "CHASQUI_CONFIG"

// Source holds what the environment and the configuration file give.
type Source struct {
	values map[string]string // by flag
}

// Lookup returns the value that the environment, or else the file, gives to a setting, named by its
// flag.
func (s Source) Lookup(flag string) (string, bool) {
	v, ok := s.values[flag]
	return v, ok
}

// Read reads the configuration file, when path is not empty, and the environment, given as
// os.Environ gives it. Both are read strictly: a name that is no setting, or a value of the wrong
// type, is an error that names it, so that a slip of the pen is not silently without effect.
func Read(path string, environ []string) (Source, error) {
	s := Source{values: map[string]string{}}
	settings := Settings()
	if path != "" {
		if err := s.readFile(path, settings); err != nil {
			return Source{}, err
		}
	}
	return s, s.readEnv(environ, settings)
}

// Apply returns the defaults overlaid by the source.
func (s Source) Apply() (Config, error) {
	c := Default()
	for _, setting := range settingsOf(&c) {
		if text, ok := s.Lookup(setting.Flag); ok {
			if err := setting.set(text); err != nil {
				return Config{}, fmt.Errorf("setting %s %w", setting.Name, err)
			}
		}
	}
	return c, c.Validate()
}

func (s Source) readEnv(environ []string, settings []Setting) error {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		// Test switches share the prefix, and every command inherits them.
		if !strings.HasPrefix(name, "CHASQUI_") || name == FileEnv || strings.HasPrefix(name, "CHASQUI_TEST_") || strings.HasPrefix(name, "CHASQUI_REQUIRE_") {
			continue
		}
		i := slices.IndexFunc(settings, func(s Setting) bool { return s.Env == name })
		if i < 0 {
			return fmt.Errorf("environment variable %s is not a setting, see `chasqui config describe`", name)
		}
		if _, err := settings[i].parse(value); err != nil {
			return fmt.Errorf("environment variable %s %w", name, err)
		}
		s.values[settings[i].Flag] = value
	}
	return nil
}

func (s Source) readFile(path string, settings []Setting) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("configuration file %s does not exist", path)
	} else if err != nil {
		return fmt.Errorf("read configuration file: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		return fmt.Errorf("configuration file %s is not a JSON object: %w", path, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("configuration file %s has more than one JSON value", path)
	}
	if err := s.addTree("", tree, settings); err != nil {
		return fmt.Errorf("configuration file %s: %w", path, err)
	}
	return nil
}

func (s Source) addTree(prefix string, tree map[string]any, settings []Setting) error {
	for key, v := range tree {
		name := prefix + key
		if nested, ok := v.(map[string]any); ok {
			if !slices.ContainsFunc(settings, func(s Setting) bool { return strings.HasPrefix(s.Name, name+".") }) {
				return fmt.Errorf("%s is not a setting, see `chasqui config describe`", name)
			}
			if err := s.addTree(name+".", nested, settings); err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("%s is not a setting, see `chasqui config describe`", name)
		}
		text, err := settings[i].fromJSON(v)
		if err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		s.values[settings[i].Flag] = text
	}
	return nil
}

// fromJSON returns the text of a value from the file, where numbers are numbers, booleans booleans
// and all else strings.
func (s Setting) fromJSON(v any) (string, error) {
	var text string
	switch v := v.(type) {
	case string:
		text = v
		switch s.value.Interface().(type) {
		case bool, int, int64, float64:
			return "", fmt.Errorf("is a string, where a JSON number or boolean belongs")
		}
	case json.Number:
		text = v.String()
		if _, ok := s.value.Interface().(string); ok {
			return "", fmt.Errorf("is a number, where a string belongs")
		}
	case bool:
		text = fmt.Sprint(v)
	default:
		return "", fmt.Errorf("is neither a string nor a number nor a boolean")
	}
	_, err := s.parse(text)
	return text, err
}
