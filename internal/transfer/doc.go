// Package transfer moves profiles, events and messages between the gateway's database and files: it
// reads profiles out of CSV and JSON lines, with a table from another provider's user keys to the
// people of a page, and writes them again.
//
// An import goes in groups, each one commit. Together with its profiles a group stores up to which
// byte of the file it reaches, so that an import that was cut short, in whichever way, goes on
// behind the last group that was committed.
package transfer
