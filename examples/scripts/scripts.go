// Package scripts holds examples of bots: folders of scripts with transcripts, to be read, tried
// with `chasqui bot chat` and run with `chasqui dev --script`.
package scripts

import "embed"

// Coffee is the bot that `chasqui dev` runs on its demo page.
//
//go:embed coffee/*.topic
var Coffee embed.FS
