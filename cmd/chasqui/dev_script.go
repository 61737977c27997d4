package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/chasqui/chasqui/examples/scripts"
	"github.com/chasqui/chasqui/internal/script"
	"github.com/chasqui/chasqui/internal/service"
)

// scriptPoll is how often a folder of scripts is looked at for changes.
const scriptPoll = 300 * time.Millisecond

// runScripts gives the demo page its bot: the scripts of a folder, which are read again whenever
// they change, or the demo's own. The demo's own gives way to a program that gets the events and
// answers them.
func (s *devSession) runScripts(ctx context.Context, dir string, forwarded bool) error {
	if dir == "" && forwarded {
		s.silent = true
		return s.useNoScripts(ctx)
	}
	if dir == "" {
		files, err := s.demoScripts()
		if err != nil {
			return err
		}
		return s.useScripts(ctx, files)
	}
	files, err := script.Files(dir)
	if err != nil {
		return usageError{fmt.Errorf("--script: %w", err)}
	}
	if err := s.useScripts(ctx, files); err != nil {
		return usageError{fmt.Errorf("--script %s: %w", dir, err)}
	}
	go s.watchScripts(ctx, dir, files)
	return nil
}

// demoScripts are those of the coffee shop, with a picture that this platform serves.
func (s *devSession) demoScripts() ([]script.File, error) {
	var files []script.File
	err := fs.WalkDir(scripts.Coffee, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(scripts.Coffee, name)
		files = append(files, script.File{Name: path.Base(name), Text: string(b)})
		return err
	})
	picture := fmt.Sprintf("! var picture = %s/_emu/pictures/%s.svg\n", s.platformURL, s.demo.Page.ID)
	return append(files, script.File{Name: "dev.rive", Text: picture}), err
}

// useScripts makes files the active version, unless they are already.
func (s *devSession) useScripts(ctx context.Context, files []script.File) error {
	versions, err := s.gateway.Scripts.List(ctx, everyone, s.demo.Application)
	if err != nil {
		return err
	}
	want, err := json.Marshal(files)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if !slices.Equal(v.Files, want) {
			continue
		}
		if !v.Active {
			_, err = s.gateway.Scripts.Activate(ctx, everyone, v.ID, true)
		}
		return err
	}
	_, warnings, err := s.gateway.Scripts.Upload(ctx, everyone, service.ScriptInput{Application: s.demo.Application, Files: files, Activate: true, Note: "chasqui dev"})
	for _, w := range warnings {
		s.log.Warn("script", "problem", w.String())
	}
	return err
}

// useNoScripts lets no bot answer, also not one of an earlier start.
func (s *devSession) useNoScripts(ctx context.Context) error {
	versions, err := s.gateway.Scripts.List(ctx, everyone, s.demo.Application)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.Active {
			_, err = s.gateway.Scripts.Activate(ctx, everyone, v.ID, false)
		}
	}
	return err
}

// watchScripts reads the folder again when it has changed. Scripts that do not load leave those
// before in place.
func (s *devSession) watchScripts(ctx context.Context, dir string, last []script.File) {
	tick := time.NewTicker(scriptPoll)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		files, err := script.Files(dir)
		if err != nil || slices.Equal(files, last) {
			continue // a file may be in the middle of being saved
		}
		last = files
		if err := s.useScripts(ctx, files); err != nil {
			s.log.Error("the scripts stay as they were", "err", err)
		} else {
			s.log.Warn("scripts reloaded", "dir", dir)
		}
	}
}
