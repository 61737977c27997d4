package main

import (
	"io"

	"github.com/chasqui/chasqui/internal/config"
)

type configCmd struct {
	Describe configDescribeCmd `cmd:"" help:"Print every setting with its names, default and meaning."`
}

type configDescribeCmd struct{}

// Run prints docs/configuration.md.
func (configDescribeCmd) Run(c console) error {
	_, err := io.WriteString(c.stdout, config.Document())
	return err
}
