// Package rivescript is an engine for RiveScript, the language for bots that answer messages by patterns.
package rivescript
